package child

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"time"
)

// outputTimeout is how long Run waits at most for descendants of a helper that have inherited its
// output.
const outputTimeout = time.Second

// Run runs a short helper program of ours. The helper is no part of the tree: it is not listed,
// stopped or reaped as a member, but the processes that it leaves behind are. When ctx is done it
// is killed, and the error is context.Cause(ctx). Otherwise the error is that of cmd.Run.
func (t *Tree) Run(ctx context.Context, cmd *exec.Cmd) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = outputTimeout
	}
	if err := t.startHelper(cmd); err != nil {
		return err
	}
	forget := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	forget()
	t.releaseHelper(cmd)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Output is Run that returns what the helper wrote to its standard output. What it wrote to
// standard error is in an *exec.ExitError, unless cmd.Stderr is set.
func (t *Tree) Output(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var out, complaints bytes.Buffer
	cmd.Stdout = &out
	if cmd.Stderr == nil {
		cmd.Stderr = &complaints
	}
	err := t.Run(ctx, cmd)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		failed.Stderr = complaints.Bytes()
	}
	return out.Bytes(), err
}

// startHelper starts cmd and notes that os/exec waits for it.
func (t *Tree) startHelper(cmd *exec.Cmd) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	s, err := readStat(cmd.Process.Pid)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return err
	}
	t.foreign[s.pid] = s.started
	return nil
}

// releaseHelper forgets cmd, and reaps what has died meanwhile: the kernel's list of children is
// exact only while nobody else reaps, so the end of cmd may have hidden another's.
func (t *Tree) releaseHelper(cmd *exec.Cmd) {
	t.mu.Lock()
	delete(t.foreign, cmd.Process.Pid)
	t.mu.Unlock()
	_ = t.reap()
}
