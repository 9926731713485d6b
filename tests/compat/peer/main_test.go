package main

import (
	"os"
	"testing"
)

// bubbles makes the bubbles with a clock of their own, in which operations put what reads the clock. Only a test can.
var bubbles *testing.T

// TestServe is the program: it is built as a test binary for the sake of its clocks.
func TestServe(t *testing.T) {
	bubbles = t
	if err := serve(os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}
