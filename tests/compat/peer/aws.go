package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func init() {
	register("aws_server", startAWS)
	register("aws_requests", awsRequests)
}

// awsSecrets are those of the keys that the server knows.
var awsSecrets = map[string]string{
	"AKIACONFIG0000000000": "of config",
	"AKIAENVIRONMENT00000": "of environment",
	"ASIAROLE000000000000": "of role",
}

// awsRequest is what a request was, and whether its signature is right.
type awsRequest struct {
	Key     string              `json:"key"`
	Region  string              `json:"region"`
	Service string              `json:"service"`
	Token   string              `json:"token"`
	Right   bool                `json:"right"`
	Form    map[string][]string `json:"form"`
}

var (
	awsMu   sync.Mutex
	awsSeen = []awsRequest{}
)

// startAWS starts a server that is SNS and STS; its address.
func startAWS(json.RawMessage) (any, error) {
	return httptest.NewServer(http.HandlerFunc(serveAWS)).URL, nil
}

func awsRequests(json.RawMessage) (any, error) {
	awsMu.Lock()
	defer awsMu.Unlock()
	return awsSeen, nil
}

func serveAWS(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	seen := checkSignature(r, body)
	form, _ := url.ParseQuery(string(body))
	for name, values := range r.URL.Query() {
		form[name] = values
	}
	seen.Form = form
	awsMu.Lock()
	awsSeen = append(awsSeen, seen)
	awsMu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	if form.Get("Action") != "AssumeRole" {
		io.WriteString(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
		return
	}
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>a</Arn><AssumedRoleId>b</AssumedRoleId></AssumedRoleUser><Credentials>
<AccessKeyId>ASIAROLE000000000000</AccessKeyId><SecretAccessKey>of role</SecretAccessKey><SessionToken>tok</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// checkSignature signs what was signed again, with the key that the request names.
func checkSignature(r *http.Request, body []byte) awsRequest {
	authorization := r.Header.Get("Authorization")
	scope, rest, _ := strings.Cut(strings.TrimPrefix(authorization, "AWS4-HMAC-SHA256 Credential="), ", SignedHeaders=")
	names, _, _ := strings.Cut(rest, ", ")
	parts := strings.Split(scope, "/")
	if len(parts) != 5 {
		return awsRequest{}
	}
	seen := awsRequest{Key: parts[0], Region: parts[2], Service: parts[3], Token: r.Header.Get("X-Amz-Security-Token")}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if err != nil {
		return seen
	}
	again.Host = r.Host
	for _, name := range strings.Split(names, ";") {
		switch name {
		case "host", "x-amz-date", "x-amz-security-token":
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	when, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return seen
	}
	hash := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: seen.Key, SecretAccessKey: awsSecrets[seen.Key], SessionToken: seen.Token}
	err = v4.NewSigner().SignHTTP(context.Background(), keys, again, hex.EncodeToString(hash[:]), seen.Service, seen.Region, when)
	signature := func(text string) string { return text[strings.LastIndex(text, "=")+1:] }
	seen.Right = err == nil && signature(again.Header.Get("Authorization")) == signature(authorization)
	return seen
}
