// Command reliability writes what the fault matrix, the chaos run and the watch of a fleet have
// found, as the tests left it in .lab, into docs/reliability.md. It is run by `make matrix` and
// `make chaos`.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raynoded/raynoded/test/page"
)

func main() {
	lab := flag.String("lab", ".lab", "the folder with the results")
	document := flag.String("to", "docs/reliability.md", "the document")
	flag.Parse()
	if err := write(*lab, *document); err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
}

// write replaces each part of the document for which there is a result.
func write(lab, document string) error {
	var errs []error
	for _, part := range []struct {
		by   string
		make func(lab string) (string, error)
	}{{"make matrix", matrix}, {"make chaos", chaos}} {
		text, err := part.make(lab)
		if err == nil {
			err = page.Replace(document, part.by, text)
		}
		if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func path(lab string, parts ...string) string {
	return filepath.Join(append([]string{lab}, parts...)...)
}
