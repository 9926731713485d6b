package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
)

func init() {
	register("config", loadConfig)
	register("config_file", loadConfigFile)
}

// loadConfig reads a config and prints it back as the status API shows it.
func loadConfig(request json.RawMessage) (any, error) {
	var r struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	if err := defaultMatchers(); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Text)
	if err != nil {
		return nil, err
	}
	return loaded.String(), nil
}

// loadConfigFile does the same with a file in `directory`, from which paths count.
func loadConfigFile(request json.RawMessage) (any, error) {
	var r struct {
		Text      string `json:"text"`
		Directory string `json:"directory"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	if err := defaultMatchers(); err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("", "compat-peer")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	file := filepath.Join(directory, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(r.Text), 0o600); err != nil {
		return nil, err
	}
	loaded, err := config.LoadFile(file)
	if err != nil {
		return nil, err
	}
	return strings.ReplaceAll(loaded.String(), directory, r.Directory), nil
}

// defaultMatchers does as the program does with its default flags: UTF-8 matchers, and classic ones as a fallback.
func defaultMatchers() error {
	flags, err := featurecontrol.NewFlags(slog.Default(), "")
	if err == nil {
		compat.InitFromFlags(slog.Default(), flags)
	}
	return err
}
