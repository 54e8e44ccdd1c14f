package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/fakeray"
	"github.com/raynoded/raynoded/test/lab"
)

// transcript is a log that a test can wait for.
type transcript struct {
	*testing.T
	lines chan string
	late  <-chan time.Time
}

func (transcript) Levels() []logrus.Level { return logrus.AllLevels }

func (l transcript) Fire(e *logrus.Entry) error {
	l.lines <- fmt.Sprintf("%s %s %v", e.Level, e.Message, e.Data["reason"])
	return nil
}

// until waits for a line that has text in it, and returns it.
func (l transcript) until(text string) string {
	l.Helper()
	var said []string
	for {
		select {
		case line := <-l.lines:
			said = append(said, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-l.late:
			require.FailNow(l, "it has not said "+text, strings.Join(said, "\n"))
		}
	}
}

// A standing worker waits for what is wrong to be mended, joins, and joins the next head when its
// own is lost.
func TestDaemon_StandingLife(t *testing.T) {
	dir := lab.Folder(t)
	ray := fakeray.Folder(filepath.Join(dir, "f"))
	bin, err := ray.Install()
	require.NoError(t, err)
	secret := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(secret, []byte("hush-1"), 0o600))
	address := fmt.Sprintf("127.%d.%d.251:6379", 1+os.Getpid()/250%250, 1+os.Getpid()%250)
	r := load(t, dir, fmt.Sprintf(`role = "worker"
cluster = { head = %q }
auth = { mode = "token", token_file = %q }
env_from.inherit = ["FAKERAY*", "GORACE"]
watchdog = { on_head_loss = "rejoin", refused = "100ms", check_interval = "100ms" }
ray.bin = %q
`, address, secret, bin))
	stop, err := ray.ServeGCS(address, "hush-2")
	require.NoError(t, err)

	log := transcript{t, make(chan string, 1000), time.After(time.Minute)}
	ctx, ask := context.WithCancelCause(t.Context())
	ended := live(ctx, t, r, dir, ray, log)
	log.until("the token was refused: cannot ask head " + address)
	require.NoError(t, os.WriteFile(secret, []byte("hush-2"), 0o600))
	log.until("info running")
	// The raylet comes first.
	require.Eventually(
		t, func() bool { return len(alive(t, ray)) == 2 }, time.Minute, time.Millisecond,
	)
	stop()
	require.Contains(t, log.until("stopping"), "info stopping head lost: gone: every connection refused")
	log.until("info waiting head lost: gone")
	require.Empty(t, alive(t, ray))

	stop, err = ray.ServeGCS(address, "hush-2")
	require.NoError(t, err)
	defer stop()
	log.until("info running")
	ask(fmt.Errorf("%w: terminated", reason.ErrAsked))
	require.EqualError(t, <-ended, "asked to stop: terminated")
	require.Empty(t, alive(t, ray))
	require.Equal(t, "info stopping asked to stop: terminated", log.until("stopping"))
}

func load(t *testing.T, dir, text string) *role.Role {
	path := filepath.Join(dir, "worker.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	r, err := role.Load(path)
	require.NoError(t, err)
	return r
}

// live runs a daemon and returns where it says how it ended.
func live(
	ctx context.Context, t *testing.T, r *role.Role, dir string, ray fakeray.Folder, log transcript,
) <-chan error {
	tree, err := child.New()
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	go func() { _ = tree.Reap(t.Context()) }()
	logger := quiet()
	logger.AddHook(log)
	d := New(Options{
		Role: r, Files: role.Read(r.Files[0]), Dirs: host.Dirs{State: dir, Run: dir, Temp: filepath.Join(dir, "ray")},
		Log: logger, Systemd: &notify.Systemd{}, Tree: tree,
		Env:    []string{"PATH=/usr/bin:/bin", ray.Env(), "GORACE=atexit_sleep_ms=0"},
		Output: func(string) (*os.File, error) { return os.OpenFile(os.DevNull, os.O_WRONLY, 0) },
	})
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, context.WithoutCancel(ctx)) }()
	return ended
}

// alive are the programs of Ray's that run, `ray start` left out.
func alive(t *testing.T, ray fakeray.Folder) []string {
	all, err := ray.Processes()
	require.NoError(t, err)
	var names []string
	for _, p := range all {
		if p.Alive() && p.Program != "ray start" {
			names = append(names, p.Program)
		}
	}
	return names
}
