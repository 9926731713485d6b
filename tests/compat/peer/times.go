package main

import (
	"encoding/json"
	"time"
	_ "time/tzdata" // where the system has none

	"github.com/prometheus/common/model"
	"github.com/xhit/go-str2duration/v2"

	"github.com/prometheus/alertmanager/config"
)

func init() {
	register("durations", parseDurations)
	register("intervals", containsTimes)
}

// parseDurations reads each text as a config, as Go and as a flag do, and prints what it found; errors begin with `!`.
func parseDurations(request json.RawMessage) (any, error) {
	var r struct {
		Inputs []string `json:"inputs"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	show := func(text string, err error) string {
		if err != nil {
			return "!" + err.Error()
		}
		return text
	}
	answers := make([][3]string, 0, len(r.Inputs))
	for _, input := range r.Inputs {
		prometheus, errPrometheus := model.ParseDuration(input)
		plain, errPlain := time.ParseDuration(input)
		flag, errFlag := str2duration.ParseDuration(input)
		answers = append(answers, [3]string{
			show(prometheus.String(), errPrometheus),
			show(plain.String(), errPlain),
			show(flag.String(), errFlag),
		})
	}
	return answers, nil
}

// containsTimes loads a config and tells for each of its named intervals which of the moments it contains, as a text
// of `0` and `1`; the config as printed comes first.
func containsTimes(request json.RawMessage) (any, error) {
	var r struct {
		Config string  `json:"config"`
		Times  []int64 `json:"times"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	loaded, err := config.Load(r.Config)
	if err != nil {
		return nil, err
	}
	answers := []string{loaded.String()}
	for _, named := range loaded.TimeIntervals {
		row := make([]byte, 0, len(r.Times))
		for _, second := range r.Times {
			inside := byte('0')
			for _, interval := range named.TimeIntervals {
				if interval.ContainsTime(time.Unix(second, 0).UTC()) {
					inside = '1'
				}
			}
			row = append(row, inside)
		}
		answers = append(answers, string(row))
	}
	return answers, nil
}
