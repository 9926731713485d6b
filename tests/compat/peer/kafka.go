package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/prometheus/alertmanager/eventrecorder/eventrecorderpb"
)

func init() {
	register("kafka-start", startKafka)
	register("kafka-records", kafkaRecords)
}

// brokers stands in for Kafka: what it took, and how that was asked for.
type brokers struct {
	cluster *kfake.Cluster
	topic   string
	tls     bool

	mu     sync.Mutex
	acks   []int16 // in the order of requests, repeats left out
	refuse []int16 // codes that the next requests are refused with
}

// clusters by their place in the list.
var clusters []*brokers

type kafkaStart struct {
	Topic      string  `json:"topic"`
	Partitions int32   `json:"partitions"`
	Port       int     `json:"port"`
	TLS        bool    `json:"tls"`
	Refuse     []int16 `json:"refuse"`
}

// startKafka starts one broker with a topic, or with none if its name is empty.
func startKafka(request json.RawMessage) (any, error) {
	var start kafkaStart
	if err := json.Unmarshal(request, &start); err != nil {
		return nil, err
	}
	options := []kfake.Opt{kfake.Ports(start.Port)}
	if start.Topic != "" {
		options = append(options, kfake.SeedTopics(start.Partitions, start.Topic))
	}
	var ca string
	if start.TLS {
		certificate, text, err := certificate()
		if err != nil {
			return nil, err
		}
		ca = text
		options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, err
	}
	b := &brokers{cluster: cluster, topic: start.Topic, tls: start.TLS, refuse: start.Refuse}
	cluster.ControlKey(int16(kmsg.Produce), b.produce)
	clusters = append(clusters, b)
	return map[string]any{"id": len(clusters) - 1, "address": cluster.ListenAddrs()[0], "ca": ca}, nil
}

// produce notes how a request wants to be answered, and refuses it if that was asked for.
func (b *brokers) produce(request kmsg.Request) (kmsg.Response, error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := request.(*kmsg.ProduceRequest)
	if len(b.acks) == 0 || b.acks[len(b.acks)-1] != asked.Acks {
		b.acks = append(b.acks, asked.Acks)
	}
	if len(b.refuse) == 0 {
		return nil, nil, false
	}
	b.cluster.KeepControl()
	answer := asked.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range asked.Topics {
		answered := kmsg.NewProduceResponseTopic()
		answered.Topic, answered.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			refused := kmsg.NewProduceResponseTopicPartition()
			refused.Partition, refused.ErrorCode = partition.Partition, b.refuse[0]
			answered.Partitions = append(answered.Partitions, refused)
		}
		answer.Topics = append(answer.Topics, answered)
	}
	b.refuse = b.refuse[1:]
	return answer, nil, true
}

type kafkaRecord struct {
	Partition   int32  `json:"partition"`
	Key         string `json:"key"`
	JSON        string `json:"json"`
	Value       string `json:"value"` // as it came, in base64
	Headers     int    `json:"headers"`
	Compression uint8  `json:"compression"`
	Identified  bool   `json:"identified"` // by a producer id
}

// kafkaRecords answers with all records so far; values that aren't JSON are read as the reference's protobuf.
func kafkaRecords(request json.RawMessage) (any, error) {
	var asked struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	b := clusters[asked.ID]
	var stored int64
	for _, partition := range b.cluster.PartitionInfos(b.topic) {
		stored += partition.HighWatermark
	}
	records := []kafkaRecord{}
	if stored > 0 {
		read, err := b.read(int(stored))
		if err != nil {
			return nil, err
		}
		records = read
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return map[string]any{"records": records, "acks": append([]int16{}, b.acks...), "unrefused": len(b.refuse)}, nil
}

func (b *brokers) read(count int) ([]kafkaRecord, error) {
	options := []kgo.Opt{kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.ConsumeTopics(b.topic)}
	if b.tls {
		options = append(options, kgo.DialTLSConfig(&tls.Config{InsecureSkipVerify: true}))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	records := make([]kafkaRecord, 0, count)
	for len(records) < count {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%d of %d records could be read", len(records), count)
		}
		for _, failed := range fetches.Errors() {
			return nil, failed.Err
		}
		for _, record := range fetches.Records() {
			text := record.Value
			if !json.Valid(text) {
				var event eventrecorderpb.Event
				if err := proto.Unmarshal(record.Value, &event); err != nil {
					return nil, err
				}
				if text, err = protojson.Marshal(&event); err != nil {
					return nil, err
				}
			}
			records = append(records, kafkaRecord{
				Partition:   record.Partition,
				Key:         string(record.Key),
				JSON:        string(text),
				Value:       base64.StdEncoding.EncodeToString(record.Value),
				Headers:     len(record.Headers),
				Compression: record.Attrs.CompressionType(),
				Identified:  record.ProducerID >= 0,
			})
		}
	}
	return records, nil
}

// certificate is one for 127.0.0.1 that vouches for itself, and its PEM.
func certificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(text), nil
}
