package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/alertmanager/silence/silencepb"
)

func init() { register("generate", generate) }

// generated is a file of each kind, written with the reference's types.
type generated struct {
	Silences string `json:"silences"`
	Log      string `json:"nflog"`
}

// generate draws both state files from a seed: old and new forms, and fields of versions to come.
func generate(request json.RawMessage) (any, error) {
	var r struct {
		Seed int64 `json:"seed"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	draw := drawer{rand.New(rand.NewSource(r.Seed))}
	var silences, log bytes.Buffer
	for n := draw.Intn(8); n >= 0; n-- {
		if _, err := protodelim.MarshalTo(&silences, draw.silence(n)); err != nil {
			return nil, err
		}
		if _, err := protodelim.MarshalTo(&log, draw.entry(n)); err != nil {
			return nil, err
		}
	}
	return generated{hex.EncodeToString(silences.Bytes()), hex.EncodeToString(log.Bytes())}, nil
}

type drawer struct{ *rand.Rand }

func (d drawer) text() string {
	return []string{"", "a", "zone=\"1\"", "é🙂", "line\nline", "a longer text, to cross the length of one byte " + string(bytes.Repeat([]byte("x"), 150))}[d.Intn(6)]
}

func (d drawer) time() *timestamppb.Timestamp {
	return timestamppb.New(time.Unix(1_700_000_000+d.Int63n(400_000_000), d.Int63n(2)*d.Int63n(1_000_000_000)).UTC())
}

// later gives a message a field that this version doesn't know, now and then.
func (d drawer) later(message proto.Message) {
	if d.Intn(3) != 0 {
		return
	}
	var unknown []byte
	unknown = protowire.AppendTag(unknown, protowire.Number(50+d.Intn(400)), protowire.BytesType)
	unknown = protowire.AppendString(unknown, d.text())
	unknown = protowire.AppendTag(unknown, protowire.Number(500+d.Intn(400)), protowire.VarintType)
	unknown = protowire.AppendVarint(unknown, d.Uint64())
	message.ProtoReflect().SetUnknown(unknown)
}

func (d drawer) matchers() []*silencepb.Matcher {
	var matchers []*silencepb.Matcher
	for n := d.Intn(3); n >= 0; n-- {
		matcher := &silencepb.Matcher{
			Type:    silencepb.Matcher_Type(d.Intn(4)),
			Name:    []string{"alertname", "zone", "é"}[d.Intn(3)],
			Pattern: []string{"", "a", "a|b", "[0-9]+", "["}[d.Intn(5)],
		}
		d.later(matcher)
		matchers = append(matchers, matcher)
	}
	return matchers
}

func (d drawer) silence(n int) *silencepb.MeshSilence {
	silence := &silencepb.Silence{
		Id:        fmt.Sprintf("%08x-0000-4000-8000-%012x", d.Uint32(), n),
		StartsAt:  d.time(),
		EndsAt:    d.time(),
		UpdatedAt: d.time(),
		CreatedBy: d.text(),
		Comment:   d.text(),
	}
	switch d.Intn(4) {
	case 0:
		// of before 0.32
		silence.Matchers = d.matchers()
	case 1:
		for n := d.Intn(3); n >= 0; n-- {
			silence.MatcherSets = append(silence.MatcherSets, d.set())
		}
		silence.Matchers = silence.MatcherSets[0].Matchers
	default:
		set := d.set()
		silence.MatcherSets, silence.Matchers = []*silencepb.MatcherSet{set}, set.Matchers
	}
	if d.Intn(4) == 0 {
		silence.Comments = []*silencepb.Comment{{Author: d.text(), Comment: d.text(), Timestamp: d.time()}}
	}
	if d.Intn(2) == 0 {
		silence.Annotations = map[string]string{"a": d.text(), "b": d.text(), d.text(): "c"}
	}
	d.later(silence)
	mesh := &silencepb.MeshSilence{Silence: silence, ExpiresAt: d.time()}
	d.later(mesh)
	return mesh
}

func (d drawer) set() *silencepb.MatcherSet {
	set := &silencepb.MatcherSet{Matchers: d.matchers()}
	d.later(set)
	return set
}

func (d drawer) hashes() []uint64 {
	var hashes []uint64
	for n := d.Intn(5); n > 0; n-- {
		hashes = append(hashes, d.Uint64())
	}
	return hashes
}

func (d drawer) entry(n int) *nflogpb.MeshEntry {
	receiver := &nflogpb.Receiver{GroupName: d.text(), Integration: []string{"webhook", "slack"}[d.Intn(2)], Idx: uint32(d.Intn(3))}
	d.later(receiver)
	entry := &nflogpb.Entry{
		GroupKey:       []byte(fmt.Sprintf("{}/{zone=\"%d\"}:{alertname=\"é\"}", n)),
		Receiver:       receiver,
		Timestamp:      d.time(),
		FiringAlerts:   d.hashes(),
		ResolvedAlerts: d.hashes(),
	}
	if d.Intn(4) == 0 {
		entry.GroupHash, entry.Resolved = []byte(d.text()), d.Intn(2) == 0
	}
	if d.Intn(2) == 0 {
		entry.ReceiverData = map[string]*nflogpb.ReceiverDataValue{
			"text":   {Value: &nflogpb.ReceiverDataValue_StrVal{StrVal: d.text()}},
			"number": {Value: &nflogpb.ReceiverDataValue_IntVal{IntVal: d.Int63() - d.Int63()}},
			"real":   {Value: &nflogpb.ReceiverDataValue_DoubleVal{DoubleVal: d.NormFloat64()}},
		}
	}
	d.later(entry)
	mesh := &nflogpb.MeshEntry{Entry: entry, ExpiresAt: d.time()}
	d.later(mesh)
	return mesh
}
