//go:build pages

// With the tag pages this is not raynoded, but a program that writes its man pages, its shell
// completions and the schema of the role file for the packages. It makes them from the descriptions
// of the commands and from the types of the role:
//
//	go run -tags pages ./cmd/raynoded FOLDER
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raynoded/raynoded/daemon/role"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "pages: one argument is needed: the folder to write to")
		os.Exit(exitUsage)
	}
	if err := writePages(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

// writePages writes all pages, one kind after another.
func writePages(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, write := range []func(dir string) error{writeCompletions, writeManual, writeRolePage, writeSchema} {
		if err := write(dir); err != nil {
			return err
		}
	}
	return nil
}

func writeCompletions(dir string) error {
	root := rootCommand()
	for name, write := range map[string]func(path string) error{
		"raynoded.bash": func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"_raynoded":     root.GenZshCompletionFile,
		"raynoded.fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		if err := write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func writeSchema(dir string) error {
	schema, err := role.NewSchema().JSON()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "role.schema.json"), schema, 0o644)
}

// writeCompressed writes a page as packages have it: compressed, without the name and the time
// that gzip would note.
func writeCompressed(path string, page []byte) error {
	small := bytes.Buffer{}
	w, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(page); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, small.Bytes(), 0o644)
}
