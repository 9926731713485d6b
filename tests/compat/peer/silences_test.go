package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
)

func init() { register("silences", liveSilences) }

// silenceStep is one thing done to the silences. Ids are numbers in the order in which they were made; 0 is none.
type silenceStep struct {
	Kind string `json:"kind"`
	// nanoseconds to let pass first
	Later int64 `json:"later"`
	ID    int   `json:"id"`
	// of the draft: type as in the protobuf, name, pattern
	Matchers []struct {
		Type    int32  `json:"type"`
		Name    string `json:"name"`
		Pattern string `json:"pattern"`
	} `json:"matchers"`
	// nanoseconds since the bubble's start
	Starts  *int64         `json:"starts"`
	Ends    int64          `json:"ends"`
	Comment string         `json:"comment"`
	Labels  model.LabelSet `json:"labels"`
}

// silenceRow is one stored silence.
type silenceRow struct {
	ID      int    `json:"id"`
	State   string `json:"state"`
	Starts  int64  `json:"starts"`
	Ends    int64  `json:"ends"`
	Updated int64  `json:"updated"`
	Comment string `json:"comment"`
}

type silenceAnswer struct {
	ID    int          `json:"id"`
	Error string       `json:"error"`
	By    []int        `json:"by"`
	Rows  []silenceRow `json:"rows"`
}

// liveSilences runs the steps one after the other and shows what is stored after each.
func liveSilences(request json.RawMessage) (answer any, err error) {
	var r struct {
		Retention int64         `json:"retention"`
		Max       int           `json:"max"`
		MaxBytes  int           `json:"maxBytes"`
		Steps     []silenceStep `json:"steps"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	synctest.Test(bubbles, func(*testing.T) {
		ctx := context.Background()
		start := time.Now()
		recorder := eventrecorder.NopRecorder()
		var silences *silence.Silences
		silences, err = silence.New(silence.Options{
			Retention: time.Duration(r.Retention),
			Limits: silence.Limits{
				MaxSilences:         func() int { return r.Max },
				MaxSilenceSizeBytes: func() int { return r.MaxBytes },
			},
			Metrics:       prometheus.NewRegistry(),
			EventRecorder: recorder,
		})
		if err != nil {
			return
		}
		silencer := silence.NewSilencer(silences, promslog.NewNopLogger(), recorder)
		ids := []string{""}
		number := func(id string) int {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			return slices.Index(ids, id)
		}
		answers := make([]silenceAnswer, 0, len(r.Steps))
		for _, step := range r.Steps {
			time.Sleep(time.Duration(step.Later))
			a := silenceAnswer{By: []int{}, Rows: []silenceRow{}}
			id := "00000000-0000-4000-8000-000000000000"
			if step.ID < len(ids) {
				id = ids[step.ID]
			}
			var failed error
			switch step.Kind {
			case "set":
				draft := &silencepb.Silence{
					Id:      id,
					EndsAt:  timestamppb.New(start.Add(time.Duration(step.Ends))),
					Comment: step.Comment,
				}
				if step.Starts != nil {
					draft.StartsAt = timestamppb.New(start.Add(time.Duration(*step.Starts)))
				}
				set := &silencepb.MatcherSet{}
				for _, m := range step.Matchers {
					set.Matchers = append(set.Matchers, &silencepb.Matcher{
						Type: silencepb.Matcher_Type(m.Type), Name: m.Name, Pattern: m.Pattern,
					})
				}
				draft.MatcherSets = []*silencepb.MatcherSet{set}
				if failed = silences.Set(ctx, draft); failed == nil {
					a.ID = number(draft.Id)
				}
			case "expire":
				failed = silences.Expire(ctx, id)
			case "gc":
				_, failed = silences.GC()
			case "match":
				marks := marker.NewAlertMarker()
				silencer.Mutes(marker.WithContext(ctx, marks), step.Labels)
				for _, id := range marks.Status(step.Labels.Fingerprint()).SilencedBy {
					a.By = append(a.By, number(id))
				}
				slices.Sort(a.By)
			default:
				failed = fmt.Errorf("no such step: %s", step.Kind)
			}
			if failed != nil {
				a.Error = failed.Error()
			}
			now := time.Now()
			var stored []*silencepb.Silence
			if stored, _, err = silences.Query(ctx); err != nil {
				return
			}
			for _, s := range stored {
				state := "active"
				if now.Before(s.StartsAt.AsTime()) {
					state = "pending"
				} else if now.After(s.EndsAt.AsTime()) {
					state = "expired"
				}
				a.Rows = append(a.Rows, silenceRow{
					ID: number(s.Id), State: state, Comment: s.Comment,
					Starts:  s.StartsAt.AsTime().Sub(start).Nanoseconds(),
					Ends:    s.EndsAt.AsTime().Sub(start).Nanoseconds(),
					Updated: s.UpdatedAt.AsTime().Sub(start).Nanoseconds(),
				})
			}
			slices.SortFunc(a.Rows, func(x, y silenceRow) int { return x.ID - y.ID })
			answers = append(answers, a)
		}
		answer = answers
	})
	return answer, err
}
