package main

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/provider/mem"
)

func init() { register("inhibit", inhibited) }

// inhibited puts alerts into a store (times are nanoseconds since the bubble's start), lets some time pass, and tells
// for each the fingerprint of what inhibits it, or "".
func inhibited(request json.RawMessage) (answer any, err error) {
	var r struct {
		Config string `json:"config"`
		Alerts []struct {
			Labels model.LabelSet `json:"labels"`
			Starts int64          `json:"starts"`
			Ends   int64          `json:"ends"`
		} `json:"alerts"`
		Later int64 `json:"later"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Config)
	if err != nil {
		return nil, err
	}
	synctest.Test(bubbles, func(*testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		start := time.Now()
		logger := promslog.NewNopLogger()
		recorder := eventrecorder.NopRecorder()
		var store *mem.Alerts
		if store, err = mem.NewAlerts(ctx, time.Hour*1000, 0, nil, logger, recorder, prometheus.NewRegistry(), nil); err != nil {
			return
		}
		defer store.Close()
		inhibitor := inhibit.NewInhibitor(store, loaded.InhibitRules, logger, recorder)
		go inhibitor.Run()
		inhibitor.WaitForLoading()
		defer inhibitor.Stop()
		for _, posted := range r.Alerts {
			a := &alert.Alert{
				Alert: model.Alert{
					Labels:   posted.Labels,
					StartsAt: start.Add(time.Duration(posted.Starts)),
					EndsAt:   start.Add(time.Duration(posted.Ends)),
				},
				UpdatedAt: time.Now(),
			}
			if err = store.Put(ctx, a); err != nil {
				return
			}
		}
		synctest.Wait()
		time.Sleep(time.Duration(r.Later))
		rows := make([]string, 0, len(r.Alerts))
		for _, posted := range r.Alerts {
			marks := marker.NewAlertMarker()
			by := ""
			if inhibitor.Mutes(marker.WithContext(ctx, marks), posted.Labels) {
				by = marks.Status(posted.Labels.Fingerprint()).InhibitedBy[0]
			}
			rows = append(rows, by)
		}
		answer = rows
	})
	return answer, err
}
