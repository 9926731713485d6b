package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"
)

func init() {
	register("addresses", readAddresses)
	register("mail_servers", startMailServers)
	register("mails", mails)
}

// readAddresses gives the addresses of each list, or nothing where it can't be read.
func readAddresses(request json.RawMessage) (any, error) {
	var r struct {
		Inputs []string `json:"inputs"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	answers := make([][]string, 0, len(r.Inputs))
	for _, input := range r.Inputs {
		list, err := mail.ParseAddressList(input)
		if err != nil {
			answers = append(answers, nil)
			continue
		}
		found := []string{}
		for _, address := range list {
			found = append(found, address.Address)
		}
		answers = append(answers, found)
	}
	return answers, nil
}

// mailScript is how a server behaves: each rule answers one line that begins with its first part, in their order.
type mailScript struct {
	IP     string      `json:"ip"`
	TLS    bool        `json:"tls"`
	Banner string      `json:"banner"`
	Rules  [][2]string `json:"rules"`
}

// mailTalk is one connection: the lines of the client, and its message.
type mailTalk struct {
	Lines   []string `json:"lines"`
	Message string   `json:"message"`
	Over    bool     `json:"over"`
}

var (
	mailMu    sync.Mutex
	mailTalks = map[int][]*mailTalk{}
)

// startMailServers starts a server for each script; their ports, and the certificate to trust, for `localhost`.
func startMailServers(request json.RawMessage) (any, error) {
	var r struct {
		Scripts []mailScript `json:"scripts"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	certificate, ca, err := mailCertificate()
	if err != nil {
		return nil, err
	}
	ports := []int{}
	for _, script := range r.Scripts {
		listener, err := net.Listen("tcp", net.JoinHostPort(script.IP, "0"))
		if err != nil {
			return nil, err
		}
		port := listener.Addr().(*net.TCPAddr).Port
		ports = append(ports, port)
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				talk := &mailTalk{Lines: []string{}}
				mailMu.Lock()
				mailTalks[port] = append(mailTalks[port], talk)
				mailMu.Unlock()
				go serveMail(conn, script, certificate, talk)
			}
		}()
	}
	return map[string]any{"ports": ports, "ca": ca}, nil
}

// mails gives all connections by port.
func mails(json.RawMessage) (any, error) {
	mailMu.Lock()
	defer mailMu.Unlock()
	copied := map[int][]mailTalk{}
	for port, talks := range mailTalks {
		for _, talk := range talks {
			copied[port] = append(copied[port], mailTalk{append([]string{}, talk.Lines...), talk.Message, talk.Over})
		}
	}
	return copied, nil
}

func serveMail(conn net.Conn, script mailScript, certificate tls.Certificate, talk *mailTalk) {
	defer func() {
		conn.Close()
		mailMu.Lock()
		talk.Over = true
		mailMu.Unlock()
	}()
	note := func(line string) {
		mailMu.Lock()
		talk.Lines = append(talk.Lines, line)
		mailMu.Unlock()
	}
	settings := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if script.TLS {
		conn = tls.Server(conn, settings)
	}
	banner := script.Banner
	if banner == "" {
		banner = "220 test ESMTP"
	}
	if banner == "close" {
		return
	}
	if _, err := conn.Write([]byte(banner + "\r\n")); err != nil {
		return
	}
	rules := script.Rules
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		note(line)
		reply := usualReply(line)
		if len(rules) > 0 && strings.HasPrefix(line, rules[0][0]) {
			reply, rules = rules[0][1], rules[1:]
		}
		if reply == "close" {
			return
		}
		if _, err := conn.Write([]byte(reply + "\r\n")); err != nil {
			return
		}
		switch {
		case line == "STARTTLS" && strings.HasPrefix(reply, "220"):
			secure := tls.Server(conn, settings)
			if err := secure.Handshake(); err != nil {
				note("(no TLS)")
				return
			}
			conn, lines = secure, bufio.NewReader(secure)
		case line == "DATA" && strings.HasPrefix(reply, "354"):
			message, err := readMessage(lines)
			mailMu.Lock()
			talk.Message = message
			mailMu.Unlock()
			if err != nil {
				return
			}
			reply := "250 taken"
			if len(rules) > 0 && rules[0][0] == "." {
				reply, rules = rules[0][1], rules[1:]
			}
			if reply == "close" {
				return
			}
			if _, err := conn.Write([]byte(reply + "\r\n")); err != nil {
				return
			}
		case line == "QUIT":
			return
		}
	}
}

// readMessage reads up to the final dot, as it is on the wire.
func readMessage(lines *bufio.Reader) (string, error) {
	var message strings.Builder
	for {
		line, err := lines.ReadString('\n')
		message.WriteString(line)
		if err != nil || line == ".\r\n" {
			return message.String(), err
		}
	}
}

func usualReply(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	switch verb {
	case "EHLO", "HELO", "MAIL", "RCPT":
		return "250 ok"
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 bye"
	case "STARTTLS":
		return "220 now"
	case "*":
		return "501 called off"
	}
	return "500 what?"
}

func mailCertificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "mail"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		DNSNames:              []string{"localhost", "mail.test"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, ca, nil
}
