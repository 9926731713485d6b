package main

import (
	"encoding/json"

	"github.com/prometheus/alertmanager/config"
)

func init() { register("config", loadConfig) }

// loadConfig reads a config and prints it back as the status API shows it.
func loadConfig(request json.RawMessage) (any, error) {
	var r struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Text)
	if err != nil {
		return nil, err
	}
	return loaded.String(), nil
}
