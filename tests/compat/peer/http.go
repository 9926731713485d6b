package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/net/http/httpproxy"
)

func init() {
	register("proxied", proxied)
	register("rsa_keys", rsaKeys)
	register("jwt", verifyJWT)
}

// proxied tells of each pair of a no_proxy list and a URL whether the request goes through the proxy.
func proxied(request json.RawMessage) (any, error) {
	var r struct {
		Pairs [][2]string `json:"pairs"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	answers := make([]bool, 0, len(r.Pairs))
	for _, pair := range r.Pairs {
		to, err := url.Parse(pair[1])
		if err != nil {
			return nil, err
		}
		config := httpproxy.Config{HTTPProxy: "http://p:1", HTTPSProxy: "http://p:1", NoProxy: pair[0]}
		proxy, err := config.ProxyFunc()(to)
		if err != nil {
			return nil, err
		}
		answers = append(answers, proxy != nil)
	}
	return answers, nil
}

// rsaKeys makes a key: its private part as PKCS#1 and as PKCS#8, its public part, all PEM.
func rsaKeys(json.RawMessage) (any, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return map[string]string{
		"pkcs1":  block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
		"pkcs8":  block("PRIVATE KEY", pkcs8),
		"public": block("PUBLIC KEY", public),
	}, nil
}

// verifyJWT checks a token's signature and gives its header and its claims.
func verifyJWT(request json.RawMessage) (any, error) {
	var r struct {
		Token  string `json:"token"`
		Public string `json:"public"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	public, err := jwt.ParseRSAPublicKeyFromPEM([]byte(r.Public))
	if err != nil {
		return nil, err
	}
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(r.Token, claims, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil {
		return nil, err
	}
	return map[string]any{"header": token.Header, "claims": claims}, nil
}
