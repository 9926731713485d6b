// Answers questions with the reference's own packages, so that tests can ask it thousands of them in one process.
//
// Each line of standard input is a JSON object `{"op": NAME, …}`; the answer is one line of JSON on standard output:
// `{"ok": …}` or `{"error": TEXT}`. Each operation is a file of its own that registers itself.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// operation answers one question; the request is the whole line.
type operation func(request json.RawMessage) (any, error)

var operations = map[string]operation{}

// register makes an operation known by its name; called from `init`.
func register(name string, op operation) {
	operations[name] = op
}

func main() {
	// the reference's packages log what we compare as answers
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 1<<20)
	answers := bufio.NewWriterSize(out, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := json.NewEncoder(answers).Encode(answer(line)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return answers.Flush()
		}
		if err != nil {
			return err
		}
		if lines.Buffered() == 0 {
			if err := answers.Flush(); err != nil {
				return err
			}
		}
	}
}

func answer(line []byte) (result map[string]any) {
	// what makes the reference panic is an answer too
	defer func() {
		if cause := recover(); cause != nil {
			result = map[string]any{"panic": fmt.Sprint(cause)}
		}
	}()
	var head struct {
		Op string `json:"op"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return map[string]any{"error": "reading the request: " + err.Error()}
	}
	op, known := operations[head.Op]
	if !known {
		return map[string]any{"error": "no such operation: " + head.Op}
	}
	value, err := op(line)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"ok": value}
}
