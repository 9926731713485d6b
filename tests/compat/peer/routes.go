package main

import (
	"encoding/json"
	"fmt"

	"github.com/prometheus/common/model"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
)

func init() { register("routes", matchRoutes) }

// routeHit is one route that an alert lands on.
type routeHit struct {
	Receiver    string `json:"receiver"`
	Key         string `json:"key"`
	ID          string `json:"id"`
	GroupLabels string `json:"groupLabels"`
	GroupKey    string `json:"groupKey"`
	// of the route, not of the alert
	Labels map[string]string `json:"labels"`
	Times  [3]string         `json:"times"`
}

// matchRoutes loads a config and tells for each label set which routes it hits, in order.
func matchRoutes(request json.RawMessage) (any, error) {
	var r struct {
		Config string           `json:"config"`
		Alerts []model.LabelSet `json:"alerts"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Config)
	if err != nil {
		return nil, err
	}
	root := dispatch.NewRoute(loaded.Route, nil)
	answers := make([][]routeHit, 0, len(r.Alerts))
	for _, labels := range r.Alerts {
		hits := []routeHit{}
		for _, route := range root.Match(labels) {
			group := model.LabelSet{}
			for name, value := range labels {
				if _, wanted := route.RouteOpts.GroupBy[name]; wanted || route.RouteOpts.GroupByAll {
					group[name] = value
				}
			}
			opts := route.RouteOpts
			own := map[string]string{}
			for name, value := range opts.Labels {
				own[string(name)] = string(value)
			}
			hits = append(hits, routeHit{
				Receiver:    opts.Receiver,
				Key:         route.Key(),
				ID:          route.ID(),
				GroupLabels: group.String(),
				GroupKey:    fmt.Sprintf("%s:%s", route.Key(), group),
				Labels:      own,
				Times:       [3]string{opts.GroupWait.String(), opts.GroupInterval.String(), opts.RepeatInterval.String()},
			})
		}
		answers = append(answers, hits)
	}
	return answers, nil
}
