package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/prometheus/common/model"

	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
)

func init() {
	// both parsers, as the program has it without flags
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
	register("matchers", parseMatchers)
	register("label names", validNames)
	register("regexes", matchRegexes)
}

// warnings counts what the parsers warn about.
type warnings struct{ count int }

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w *warnings) Handle(context.Context, slog.Record) error        { w.count++; return nil }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler               { return w }
func (w *warnings) WithGroup(string) slog.Handler                    { return w }

type parsed struct {
	Error    string      `json:"error,omitempty"`
	Warned   bool        `json:"warned"`
	Matchers [][4]string `json:"matchers"`
}

// parseMatchers reads each text as one matcher and as a list, in one of the three modes.
func parseMatchers(request json.RawMessage) (any, error) {
	var r struct {
		Mode   string   `json:"mode"`
		Inputs []string `json:"inputs"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	warned := &warnings{}
	logger := slog.New(warned)
	var one compat.ParseMatcher
	var list compat.ParseMatchers
	switch r.Mode {
	case "classic":
		one, list = compat.ClassicMatcherParser(logger), compat.ClassicMatchersParser(logger)
	case "utf8":
		one, list = compat.UTF8MatcherParser(logger), compat.UTF8MatchersParser(logger)
	case "fallback":
		one, list = compat.FallbackMatcherParser(logger), compat.FallbackMatchersParser(logger)
	default:
		return nil, fmt.Errorf("no such mode: %s", r.Mode)
	}
	run := func(parse func() (labels.Matchers, error)) (p parsed) {
		defer func() {
			if cause := recover(); cause != nil {
				p = parsed{Error: fmt.Sprint("panic: ", cause)}
			}
		}()
		warned.count = 0
		found, err := parse()
		if err != nil {
			return parsed{Error: err.Error(), Warned: warned.count > 0}
		}
		p = parsed{Warned: warned.count > 0, Matchers: [][4]string{}}
		for _, m := range found {
			p.Matchers = append(p.Matchers, [4]string{m.Name, m.Type.String(), m.Value, m.String()})
		}
		return p
	}
	answers := make([][2]parsed, 0, len(r.Inputs))
	for _, input := range r.Inputs {
		answers = append(answers, [2]parsed{
			run(func() (labels.Matchers, error) {
				m, err := one(input, "test")
				return labels.Matchers{m}, err
			}),
			run(func() (labels.Matchers, error) { return list(input, "test") }),
		})
	}
	return answers, nil
}

// validNames tells for each name whether it is one in the classic and in the UTF-8 scheme.
func validNames(request json.RawMessage) (any, error) {
	var r struct {
		Names []string `json:"names"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	answers := make([][2]bool, 0, len(r.Names))
	for _, name := range r.Names {
		answers = append(answers, [2]bool{
			model.LegacyValidation.IsValidLabelName(name),
			model.UTF8Validation.IsValidLabelName(name),
		})
	}
	return answers, nil
}

// matchRegexes compiles each pattern as a matcher's and tries it on texts.
func matchRegexes(request json.RawMessage) (any, error) {
	var r struct {
		Patterns []struct {
			Pattern string   `json:"pattern"`
			Texts   []string `json:"texts"`
		} `json:"patterns"`
	}
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	answers := make([]any, 0, len(r.Patterns))
	for _, p := range r.Patterns {
		m, err := labels.NewMatcher(labels.MatchRegexp, "x", p.Pattern)
		if err != nil {
			answers = append(answers, err.Error())
			continue
		}
		matched := make([]bool, 0, len(p.Texts))
		for _, text := range p.Texts {
			matched = append(matched, m.Matches(text))
		}
		answers = append(answers, matched)
	}
	return answers, nil
}
