package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	commoncfg "github.com/prometheus/common/config"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/incidentio"
	"github.com/prometheus/alertmanager/notify/jira"
	"github.com/prometheus/alertmanager/notify/mattermost"
	"github.com/prometheus/alertmanager/notify/msteams"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/pushover"
	"github.com/prometheus/alertmanager/notify/rocketchat"
	"github.com/prometheus/alertmanager/notify/slack"
	"github.com/prometheus/alertmanager/notify/sns"
	"github.com/prometheus/alertmanager/notify/telegram"
	"github.com/prometheus/alertmanager/notify/victorops"
	"github.com/prometheus/alertmanager/notify/webex"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/notify/wechat"
	"github.com/prometheus/alertmanager/template"
)

func init() {
	register("notify", notifyOnce)
}

type recordedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type reply struct {
	Status      int    `json:"status"`
	Body        string `json:"body"`
	ContentType string `json:"contentType"`
}

// recorder answers each request with the next reply, or the last one again, and keeps what it was asked.
type recorder struct {
	mu       sync.Mutex
	replies  []reply
	requests []recordedRequest
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	scheme := "http://"
	if request.TLS != nil {
		scheme = "https://"
	}
	headers := map[string]string{}
	for name := range request.Header {
		switch name {
		case "User-Agent", "Accept-Encoding", "Content-Length", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "X-Amz-Date":
		case "Authorization":
			headers["authorization"] = withoutSignature(request.Header.Get(name))
		default:
			headers[strings.ToLower(name)] = request.Header.Get(name)
		}
	}
	r.requests = append(r.requests, recordedRequest{
		Method: request.Method, URL: scheme + request.Host + request.RequestURI, Headers: headers, Body: string(body),
	})
	next := r.replies[0]
	if len(r.replies) > 1 {
		r.replies = r.replies[1:]
	}
	w.Header().Set("Content-Type", next.ContentType)
	w.WriteHeader(next.Status)
	io.WriteString(w, next.Body)
}

// withoutSignature keeps of an AWS signature what does not change with the time: key, region and service.
func withoutSignature(authorization string) string {
	scope, found := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	parts := strings.Split(scope, "/")
	if !found || len(parts) < 4 {
		return authorization
	}
	return "AWS4 " + parts[0] + " " + parts[2] + " " + parts[3]
}

// newNotifier is the reference's own for the only integration of a receiver.
func newNotifier(r config.Receiver, set *template.Template, o ...commoncfg.HTTPClientOption) (notify.Notifier, error) {
	log := slog.New(slog.DiscardHandler)
	switch {
	case len(r.DiscordConfigs) > 0:
		return discord.New(r.DiscordConfigs[0], set, log, o...)
	case len(r.IncidentioConfigs) > 0:
		return incidentio.New(r.IncidentioConfigs[0], set, log, o...)
	case len(r.JiraConfigs) > 0:
		return jira.New(r.JiraConfigs[0], set, log, o...)
	case len(r.MattermostConfigs) > 0:
		return mattermost.New(r.MattermostConfigs[0], set, log, o...)
	case len(r.MSTeamsConfigs) > 0:
		return msteams.New(r.MSTeamsConfigs[0], set, log, o...)
	case len(r.MSTeamsV2Configs) > 0:
		return msteamsv2.New(r.MSTeamsV2Configs[0], set, log, o...)
	case len(r.OpsGenieConfigs) > 0:
		return opsgenie.New(r.OpsGenieConfigs[0], set, log, o...)
	case len(r.PagerdutyConfigs) > 0:
		return pagerduty.New(r.PagerdutyConfigs[0], set, log, o...)
	case len(r.PushoverConfigs) > 0:
		return pushover.New(r.PushoverConfigs[0], set, log, o...)
	case len(r.RocketchatConfigs) > 0:
		return rocketchat.New(r.RocketchatConfigs[0], set, log, o...)
	case len(r.SlackConfigs) > 0:
		return slack.New(r.SlackConfigs[0], set, log, o...)
	case len(r.SNSConfigs) > 0:
		return sns.New(r.SNSConfigs[0], set, log, o...)
	case len(r.TelegramConfigs) > 0:
		return telegram.New(r.TelegramConfigs[0], set, log, o...)
	case len(r.VictorOpsConfigs) > 0:
		return victorops.New(r.VictorOpsConfigs[0], set, log, o...)
	case len(r.WebexConfigs) > 0:
		return webex.New(r.WebexConfigs[0], set, log, o...)
	case len(r.WebhookConfigs) > 0:
		return webhook.New(r.WebhookConfigs[0], set, log, o...)
	case len(r.WechatConfigs) > 0:
		return wechat.New(r.WechatConfigs[0], set, log, o...)
	}
	return nil, errors.New("no integration that this peer knows")
}

// notifyOnce has the only integration of a config make one attempt.
func notifyOnce(request json.RawMessage) (any, error) {
	var r struct {
		alertsRequest
		Config   string            `json:"config"`
		GroupKey string            `json:"groupKey"`
		Replies  []reply           `json:"replies"`
		Stored   map[string]string `json:"stored"`
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
	recorded := &recorder{replies: r.Replies}
	plain, encrypted := httptest.NewServer(recorded), httptest.NewTLSServer(recorded)
	defer plain.Close()
	defer encrypted.Close()
	// whatever host is asked for: nothing leaves this process
	dial := commoncfg.WithDialContextFunc(func(ctx context.Context, _, address string) (net.Conn, error) {
		server := plain
		if strings.HasSuffix(address, ":443") {
			server = encrypted
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	})
	trusting := func(ctx context.Context, c *commoncfg.TLSConfig, o ...commoncfg.TLSConfigOption) (*tls.Config, error) {
		made, err := commoncfg.NewTLSConfigWithContext(ctx, c, o...)
		if err == nil {
			made.InsecureSkipVerify = true
		}
		return made, err
	}
	notifier, err := newNotifier(loaded.Receivers[0], set, dial, commoncfg.WithNewTLSConfigFunc(trusting))
	if err != nil {
		return nil, err
	}
	store := nflog.NewStore(nil)
	for name, value := range r.Stored {
		store.SetStr(name, value)
	}
	ctx := notify.WithReceiverName(context.Background(), r.Receiver)
	ctx = notify.WithGroupKey(ctx, r.GroupKey)
	ctx = notify.WithGroupLabels(ctx, r.GroupLabels)
	ctx = notify.WithRouteLabels(ctx, r.RouteLabels)
	ctx = notify.WithNotificationReason(ctx, notify.ReasonNewAlertsInGroup)
	ctx = notify.WithNflogStore(ctx, store)
	retry, err := notifier.Notify(ctx, r.alerts()...)
	reason, failure := "", ""
	if err != nil {
		reason, failure = notify.DefaultReason.String(), err.Error()
		var with *notify.ErrorWithReason
		if errors.As(err, &with) {
			reason = with.Reason.String()
		}
	}
	stored := map[string]string{}
	for _, name := range []string{"threadTs", "channelId"} {
		if value, ok := store.GetStr(name); ok {
			stored[name] = value
		}
	}
	return map[string]any{
		"requests": recorded.requests, "retry": retry, "error": failure, "reason": reason, "stored": stored,
	}, nil
}
