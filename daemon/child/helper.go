package child

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"time"
)

// lateOutput bounds how long a descendant of a helper that inherited its output can hold Run up.
const lateOutput = time.Second

// Run runs a short helper program of ours, which is no part of the tree: it is neither reaped,
// listed nor stopped, while what it leaves behind is. It is killed once ctx is done, and the error
// is context.Cause(ctx) then; otherwise it is that of cmd.Run.
func (t *Tree) Run(ctx context.Context, cmd *exec.Cmd) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = lateOutput
	}
	if err := t.enlist(cmd); err != nil {
		return err
	}
	forget := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	forget()
	t.dismiss(cmd)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Output is Run, and returns what the helper wrote to its standard output. What it wrote to the
// standard error, unless that goes elsewhere, is in an *exec.ExitError.
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

// enlist starts cmd as a child that os/exec waits for, not the reaper.
func (t *Tree) enlist(cmd *exec.Cmd) error {
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

// dismiss forgets cmd, and reaps what ended while the end of cmd could hide it: the list of
// children is exact only while os/exec reaps none.
func (t *Tree) dismiss(cmd *exec.Cmd) {
	t.mu.Lock()
	delete(t.foreign, cmd.Process.Pid)
	t.mu.Unlock()
	_ = t.reap()
}
