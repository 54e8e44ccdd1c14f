//go:build !pages

// Command raynoded makes a bare-metal GPU host a node of a Ray cluster and keeps it a trustworthy one. What it does is in
// package daemon; here are its commands: flags in, exit code out.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
