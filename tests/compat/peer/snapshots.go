package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
)

func init() {
	register("silences-file", rewriteSilences)
	register("nflog-file", rewriteLog)
}

type file struct {
	Data string `json:"data"`
}

// content is a file that the reference has read and written again, and its records in an order and a form that can be
// compared.
type content struct {
	Data    string   `json:"data"`
	Records []string `json:"records"`
}

// rewriteSilences loads a file `silences` as a start does, and snapshots it.
func rewriteSilences(request json.RawMessage) (any, error) {
	data, err := decodeFile(request)
	if err != nil {
		return nil, err
	}
	silences, err := silence.New(silence.Options{
		SnapshotReader: bytes.NewReader(data),
		Retention:      24 * time.Hour,
		Logger:         slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics:        prometheus.NewRegistry(),
	})
	if err != nil {
		return nil, err
	}
	var written bytes.Buffer
	if _, err := silences.Snapshot(&written); err != nil {
		return nil, err
	}
	return describe(written.Bytes(), func() proto.Message { return &silencepb.MeshSilence{} })
}

// rewriteLog loads a file `nflog` as a start does, and snapshots it.
func rewriteLog(request json.RawMessage) (any, error) {
	data, err := decodeFile(request)
	if err != nil {
		return nil, err
	}
	log, err := nflog.New(nflog.Options{
		SnapshotReader: bytes.NewReader(data),
		Retention:      24 * time.Hour,
		Logger:         slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics:        prometheus.NewRegistry(),
	})
	if err != nil {
		return nil, err
	}
	var written bytes.Buffer
	if _, err := log.Snapshot(&written); err != nil {
		return nil, err
	}
	return describe(written.Bytes(), func() proto.Message { return &nflogpb.MeshEntry{} })
}

func decodeFile(request json.RawMessage) ([]byte, error) {
	var r file
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	return hex.DecodeString(r.Data)
}

func describe(data []byte, empty func() proto.Message) (any, error) {
	records := []string{}
	reader := bytes.NewReader(data)
	for {
		record := empty()
		err := protodelim.UnmarshalFrom(reader, record)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if stored, is := record.(*nflogpb.MeshEntry); is {
			// they are sets: their order means nothing
			slices.Sort(stored.GetEntry().GetFiringAlerts())
			slices.Sort(stored.GetEntry().GetResolvedAlerts())
		}
		text, err := proto.MarshalOptions{Deterministic: true}.Marshal(record)
		if err != nil {
			return nil, err
		}
		records = append(records, hex.EncodeToString(text))
	}
	sort.Strings(records)
	return content{Data: hex.EncodeToString(data), Records: records}, nil
}
