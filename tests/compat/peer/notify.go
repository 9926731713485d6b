package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	commoncfg "github.com/prometheus/common/config"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/msteams"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/webex"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"
)

func init() {
	register("notify", notifyOnce)
}

type recordedRequest struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	ContentType string `json:"contentType"`
	Body        string `json:"body"`
}

// recorder answers each request with the next status and body, and keeps what it was asked.
type recorder struct {
	mu       sync.Mutex
	status   int
	body     string
	requests []recordedRequest
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, recordedRequest{
		Method: request.Method, URL: "http://" + request.Host + request.RequestURI,
		ContentType: request.Header.Get("Content-Type"), Body: string(body),
	})
	w.WriteHeader(r.status)
	io.WriteString(w, r.body)
}

// newNotifier is the reference's own for the only integration of a receiver.
func newNotifier(r config.Receiver, set *template.Template, o ...commoncfg.HTTPClientOption) (notify.Notifier, error) {
	log := slog.New(slog.DiscardHandler)
	switch {
	case len(r.DiscordConfigs) > 0:
		return discord.New(r.DiscordConfigs[0], set, log, o...)
	case len(r.MSTeamsConfigs) > 0:
		return msteams.New(r.MSTeamsConfigs[0], set, log, o...)
	case len(r.MSTeamsV2Configs) > 0:
		return msteamsv2.New(r.MSTeamsV2Configs[0], set, log, o...)
	case len(r.WebexConfigs) > 0:
		return webex.New(r.WebexConfigs[0], set, log, o...)
	case len(r.WebhookConfigs) > 0:
		return webhook.New(r.WebhookConfigs[0], set, log, o...)
	}
	return nil, errors.New("no integration that this peer knows")
}

// notifyOnce has the only integration of a config make one attempt.
func notifyOnce(request json.RawMessage) (any, error) {
	var r struct {
		alertsRequest
		Config   string `json:"config"`
		GroupKey string `json:"groupKey"`
		Status   int    `json:"status"`
		Reply    string `json:"reply"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	if err := defaultMatchers(); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Config)
	if err != nil {
		return nil, err
	}
	set, err := templates(nil)
	if err != nil {
		return nil, err
	}
	// sets the link base as well
	if _, err := r.data(set); err != nil {
		return nil, err
	}
	recorded := &recorder{status: r.Status, body: r.Reply}
	server := httptest.NewServer(recorded)
	defer server.Close()
	// whatever host is asked for: nothing leaves this process
	dial := commoncfg.WithDialContextFunc(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	})
	notifier, err := newNotifier(loaded.Receivers[0], set, dial)
	if err != nil {
		return nil, err
	}
	ctx := notify.WithReceiverName(context.Background(), r.Receiver)
	ctx = notify.WithGroupKey(ctx, r.GroupKey)
	ctx = notify.WithGroupLabels(ctx, r.GroupLabels)
	ctx = notify.WithRouteLabels(ctx, r.RouteLabels)
	ctx = notify.WithNotificationReason(ctx, notify.ReasonNewAlertsInGroup)
	retry, err := notifier.Notify(ctx, r.alerts()...)
	reason, failure := "", ""
	if err != nil {
		reason, failure = notify.DefaultReason.String(), err.Error()
		var with *notify.ErrorWithReason
		if errors.As(err, &with) {
			reason = with.Reason.String()
		}
	}
	return map[string]any{"requests": recorded.requests, "retry": retry, "error": failure, "reason": reason}, nil
}
