package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"

	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/types"
)

func init() {
	register("template", render)
	register("template-data", renderAlerts)
	register("route-labels", renderRouteLabels)
}

// builtin is the set without files, which most questions are about.
var builtin *template.Template

type templateFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// templates are the built-in ones and those of files, which are one glob each.
func templates(files []templateFile) (*template.Template, error) {
	if len(files) == 0 && builtin != nil {
		return builtin, nil
	}
	dir, err := os.MkdirTemp("", "compat-templates")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var globs []string
	for _, file := range files {
		path := filepath.Join(dir, file.Name)
		if err := os.WriteFile(path, []byte(file.Text), 0o600); err != nil {
			return nil, err
		}
		globs = append(globs, path)
	}
	set, err := template.FromGlobs(globs)
	if err == nil && len(files) == 0 {
		builtin = set
	}
	return set, err
}

type renderRequest struct {
	Files    []templateFile `json:"files"`
	Text     string         `json:"text"`
	HTML     bool           `json:"html"`
	Rendered bool           `json:"rendered"`
}

func (r renderRequest) run(set *template.Template, data *template.Data) (any, error) {
	if r.Rendered {
		template.MarkRouteLabelsRendered(data)
	}
	if r.HTML {
		return set.ExecuteHTMLString(r.Text, data)
	}
	return set.ExecuteTextString(r.Text, data)
}

// render renders a text with data that is given as JSON.
func render(request json.RawMessage) (any, error) {
	var r struct {
		renderRequest
		Data template.Data `json:"data"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	set, err := templates(r.Files)
	if err != nil {
		return nil, err
	}
	return r.run(set, &r.Data)
}

type alertsRequest struct {
	renderRequest
	Receiver    string         `json:"receiver"`
	Reason      string         `json:"reason"`
	ExternalURL string         `json:"externalURL"`
	GroupLabels model.LabelSet `json:"groupLabels"`
	RouteLabels model.LabelSet `json:"routeLabels"`
	Alerts      []struct {
		Labels       model.LabelSet `json:"labels"`
		Annotations  model.LabelSet `json:"annotations"`
		StartsAt     time.Time      `json:"startsAt"`
		EndsAt       time.Time      `json:"endsAt"`
		GeneratorURL string         `json:"generatorURL"`
	} `json:"alerts"`
}

func (r alertsRequest) data(set *template.Template) (*template.Data, error) {
	var err error
	if set.ExternalURL, err = url.Parse(r.ExternalURL); err != nil {
		return nil, err
	}
	return set.Data(r.Receiver, r.GroupLabels, r.RouteLabels, r.Reason, r.alerts()...), nil
}

func (r alertsRequest) alerts() []*types.Alert {
	var alerts []*types.Alert
	for _, a := range r.Alerts {
		alerts = append(alerts, &types.Alert{Alert: model.Alert{
			Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
		}})
	}
	return alerts
}

// renderAlerts renders a text with the data that the reference makes of alerts.
func renderAlerts(request json.RawMessage) (any, error) {
	var r alertsRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	set, err := templates(r.Files)
	if err != nil {
		return nil, err
	}
	data, err := r.data(set)
	if err != nil {
		return nil, err
	}
	return r.run(set, data)
}

// renderRouteLabels renders the labels of a route: what each comes to, or why it is dropped.
func renderRouteLabels(request json.RawMessage) (any, error) {
	var r alertsRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	set, err := templates(r.Files)
	if err != nil {
		return nil, err
	}
	data, err := r.data(set)
	if err != nil {
		return nil, err
	}
	label := set.RouteLabelRenderer(data)
	labels, failed := map[string]string{}, map[string]string{}
	for name := range data.RouteLabels {
		if value, err := label(name); err != nil {
			failed[name] = err.Error()
		} else {
			labels[name] = value
		}
	}
	return map[string]any{"labels": labels, "failed": failed}, nil
}
