package daemon

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

func TestLoop_Status(t *testing.T) {
	named := func(r *role.Role) { r.Cluster.Name = "grpo-a" }
	standing := func(r *role.Role) { r.Watchdog.OnHeadLoss = role.Rejoin }
	launched := func(r *role.Role) { r.Cluster.Head = role.Address{Port: 6379} }
	cases := []struct {
		name  string
		kind  role.Kind
		more  func(*role.Role)
		phase Phase
		notes [topics]string
		want  string
	}{
		{"waits", role.Worker, nil, Waiting, [topics]string{}, "waiting: worker, head gpu-001:6379 (42s of 20m0s)"},
		{
			"waits with a reason", role.Worker, named, Waiting, [topics]string{
				because: "cannot reach head gpu-001:6379: connection refused",
			},
			"waiting: worker of grpo-a, head gpu-001:6379; cannot reach head gpu-001:6379: connection refused (42s of 20m0s)",
		},
		{"waits for ever", role.Worker, standing, Waiting, [topics]string{}, "waiting: worker, head gpu-001:6379 (42s)"},
		{
			"undecided", role.Auto, nil, Waiting, [topics]string{because: "cannot resolve the name gpu-001"},
			"waiting: auto, head gpu-001:6379; cannot resolve the name gpu-001 (42s)",
		},
		{"undecided by a launcher", role.Auto, launched, Stopping, [topics]string{because: "no"}, "stopping: auto; no"},
		{"starts", role.Worker, nil, Starting, [topics]string{}, "starting: worker, head gpu-001:6379"},
		{"runs", role.Worker, nil, Running, [topics]string{}, "running: worker, head gpu-001:6379"},
		{
			"in doubt", role.Worker, nil, Running, [topics]string{doubt: "head does not answer"},
			"running: worker, head gpu-001:6379; head does not answer",
		},
		{
			"a head", role.Head, named, Running, [topics]string{nodes: "3 of 4 nodes"},
			"running: head of grpo-a at gpu-001:6379; 3 of 4 nodes",
		},
		{
			"everything at once", role.Head, nil, Running,
			[topics]string{
				nodes:    "4 nodes",
				job:      "job runs: train",
				doubt:    "head does not answer",
				degraded: "dashboard ended with exit code 1",
			},
			"running: head at gpu-001:6379; 4 nodes; job runs: train; head does not answer; degraded: dashboard ended with " +
				"exit code 1",
		},
		{"single", role.Single, nil, Running, [topics]string{}, "running: single host: no cluster to set up"},
		{
			"stops", role.Head, nil, Stopping, [topics]string{because: "asked to stop: terminated"},
			"stopping: head at gpu-001:6379; asked to stop: terminated",
		},
		{
			"an edit that waits", role.Worker, nil, Running, [topics]string{pending: "restart pending: ray.num_gpus"},
			"running: worker, head gpu-001:6379; restart pending: ray.num_gpus",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRole(c.kind)
				if c.more != nil {
					c.more(r)
				}
				d := loopOf(r)
				d.phase, d.entered, d.notes = c.phase, time.Now(), c.notes
				time.Sleep(42*time.Second + 300*time.Millisecond)
				require.Equal(t, c.want, d.status())
			})
		})
	}
}

// What died while Ray started is still dead when the node runs, and when it drains. The next Ray
// begins whole.
func TestLoop_Enter_Degraded(t *testing.T) {
	r := newRole(role.Worker)
	r.Watchdog.OnHeadLoss = role.Rejoin
	d := loopOf(r)
	d.startBeat()
	defer d.beat.Stop()
	d.enter(Starting, nil)
	d.take(note{degraded, "log_monitor ended with exit code 1"})
	d.enter(Running, nil)
	require.Equal(t, "running: worker, head gpu-001:6379; degraded: log_monitor ended with exit code 1", d.status())
	d.take(note{doubt, "head does not answer"})
	d.enter(Draining, reason.ErrAsked)
	require.Equal(
		t, "draining: worker, head gpu-001:6379; asked to stop; degraded: log_monitor ended with exit code 1", d.status(),
	)
	d.enter(Stopping, reason.ErrAsked)
	require.Equal(t, "stopping: worker, head gpu-001:6379; asked to stop", d.status())
	d.enter(Waiting, nil)
	d.enter(Starting, nil)
	d.enter(Running, nil)
	require.Equal(t, "running: worker, head gpu-001:6379", d.status())
}

// A death that was seen just when the GCS listed the node is told by the next phase.
func TestProcesses_Supervise_ReportsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lifeOn(beating(t, newRole(role.Worker)))
		l.processes.dead = []string{"monitor ended with exit code 1", "dashboard ended with exit code 1"}
		require.Equal(t, pause.ErrTimeUp, l.until(t.Context(), l.processes.supervise, func(ctx context.Context) error {
			_ = pause.For(ctx, time.Second)
			return pause.ErrTimeUp
		}))
		require.Equal(t, "monitor ended with exit code 1, dashboard ended with exit code 1", l.notes[degraded])
	})
}

// The first guard to return ends the others, and until waits for them: nothing of a life runs on
// behind its back.
func TestLoop_Until(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := beating(t, newRole(role.Worker))
		first, ended := errors.New("first"), false
		err := d.until(t.Context(),
			func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second)
				ended = true
				return errors.New("last")
			},
			func(context.Context) error {
				time.Sleep(time.Minute)
				return first
			})
		require.Equal(t, first, err)
		require.True(t, ended)
	})
}

// A restart that is said when another guard has already ended the round is not lost: the next round
// begins with it.
func TestLoop_Until_LateRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := beating(t, newRole(role.Worker))
		require.NoError(t, d.until(t.Context(),
			func(context.Context) error { return nil },
			func(ctx context.Context) error {
				<-ctx.Done()
				return reason.ErrChanged
			}))
		require.Equal(t, reason.ErrChanged, d.until(t.Context(), d.restartRequested, forever))
	})
}

// What a guard says in the same moment as the first counts if it is an end that would not be said
// again.
func TestLoop_Until_Outweighed(t *testing.T) {
	asked, dead := fmt.Errorf("%w: terminated", reason.ErrAsked), reason.Failed("raylet ended with signal killed")
	lost, ended := &watchdog.LostError{Loss: watchdog.LossGone}, &reason.JobEnd{Text: "exit code 0"}
	differs, unfit := fmt.Errorf("%w: its Ray", reason.ErrMismatch), fmt.Errorf("%w: cut off", reason.ErrHost)
	cases := []struct {
		name                string
		first, second, want error
	}{
		{"Ray fails as the node arrives", nil, dead, dead},
		{"`ray start` finds another version as the node arrives", nil, differs, differs},
		{"the head goes as the node arrives", nil, lost, lost},
		{"cut off by an arrival", nil, context.Canceled, nil},
		{"Ray fails under an edit", reason.ErrChanged, dead, dead},
		{"the job ends under an edit", reason.ErrChanged, ended, ended},
		{"the head goes under an edit", reason.ErrChanged, lost, lost},
		{"an edit may mend the host", reason.ErrChanged, unfit, reason.ErrChanged},
		{"an edit may mend the version", reason.ErrChanged, differs, reason.ErrChanged},
		{"cut off by an edit", reason.ErrChanged, context.Canceled, reason.ErrChanged},
		{"asked to stop first", asked, dead, asked},
		{"the job ends first", ended, lost, ended},
		{"Ray fails first", dead, ended, dead},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := beating(t, newRole(role.Worker))
				require.Equal(t, c.want, d.until(t.Context(),
					func(context.Context) error { return c.first },
					func(ctx context.Context) error {
						<-ctx.Done()
						return c.second
					},
					forever))
			})
		})
	}
}

// A job does not start where the node has been asked to stop.
func TestLife_RunJob_Asked(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason.ErrAsked)
	r := newRole(role.Single)
	r.Job.Command = []string{"/bin/true"}
	l := lifeOf(r)
	require.Equal(t, reason.ErrAsked, l.runJob(ctx))
	require.Nil(t, l.job)
}
