package main

import (
	"encoding/json"
	"io"
)

// encoder writes JSON as every command prints it.
func encoder(out io.Writer) *json.Encoder {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e
}
