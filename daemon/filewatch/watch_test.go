package filewatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// texts are files by their paths, with why one cannot be read in place of its text.
type texts map[string]string

func (t texts) Same(u texts) bool { return maps.Equal(t, u) }

func (t texts) Finished(before texts) bool {
	for path, text := range t {
		if text != before[path] && !strings.HasSuffix(text, "\n") {
			return false
		}
	}
	return true
}

// folder is a folder whose role.toml, role.toml.d/*.toml and token are watched.
type folder struct {
	*testing.T
	dir     string
	settled chan texts
	now     chan func(texts)
	looks   atomic.Int64
	late    <-chan time.Time
}

func newFolder(t *testing.T, files texts) *folder {
	t.Helper()
	f := &folder{
		T:       t,
		dir:     filepath.Join(t.TempDir(), "etc"),
		settled: make(chan texts, 1000),
		now:     make(chan func(texts)),
		late:    time.After(time.Minute),
	}
	require.NoError(t, os.Mkdir(f.dir, 0o755))
	for name, text := range files {
		f.write(name, text)
	}
	return f
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) write(name, text string) {
	f.Helper()
	require.NoError(f, os.MkdirAll(filepath.Dir(f.path(name)), 0o755))
	temp := f.dir + ".new"
	require.NoError(f, os.WriteFile(temp, []byte(text), 0o644))
	require.NoError(f, os.Rename(temp, f.path(name)))
}

func (f *folder) paths() []string {
	return []string{f.path("role.toml"), f.path("role.toml.d/*.toml"), f.path("token")}
}

func (f *folder) look() texts {
	f.looks.Add(1)
	t := texts{}
	drops, _ := filepath.Glob(f.path("role.toml.d/[^.]*.toml"))
	for _, path := range append(drops, f.path("role.toml"), f.path("token")) {
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(f.dir, path)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			t[name] = "unreadable\n"
		default:
			t[name] = string(data)
		}
	}
	return t
}

// watch watches with and returns once it is set up.
func (f *folder) watch(k *Inotify) {
	f.Helper()
	ctx, cancel := context.WithCancel(f.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = Watch(
			ctx, k,
			Subject[texts]{Paths: f.paths, Look: f.look, Known: f.look(), Settled: func(t texts) { f.settled <- t }, Now: f.now},
		)
	}()
	f.Cleanup(func() {
		cancel()
		<-ended
		if k != nil {
			require.NoError(f, k.Close())
		}
	})
	f.ask()
}

func (f *folder) open() *Inotify {
	f.Helper()
	k, err := Open()
	require.NoError(f, err)
	return k
}

// ask takes a look at once.
func (f *folder) ask() texts {
	f.Helper()
	answer := make(chan texts, 1)
	f.now <- func(t texts) { answer <- t }
	return <-answer
}

// settles waits for the next content that settles.
func (f *folder) settles() texts {
	f.Helper()
	select {
	case t := <-f.settled:
		return t
	case <-f.late:
		require.FailNow(f, "nothing settled")
		return nil
	}
}

// quietly makes sure that nothing has settled. The end is marked by a change of the token.
func (f *folder) quietly(want texts) {
	f.Helper()
	f.write("token", "the end\n")
	want = maps.Clone(want)
	want["token"] = "the end\n"
	require.Equal(f, want, f.settles())
	require.Empty(f, f.settled)
}

// sh runs a script, and says how long that took.
func (f *folder) sh(script string) time.Duration {
	f.Helper()
	begun := time.Now()
	cmd := exec.Command("/bin/sh", "-eu", "-c", script)
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	require.NoError(f, err, "%s", out)
	return time.Since(begun)
}

// Every way in which a file is written is seen, once, when it is complete, and soon.
func TestWatch_WaysOfWriting(t *testing.T) {
	before := texts{"role.toml": "role = 'single'\n", "role.toml.d/10.toml": "# ten\n"}
	kubernetes := `mkdir ..2024_1; echo "role = 'head'" >..2024_1/role.toml; ln -s ..2024_1 ..data; ` +
		`rm role.toml; ln -s ..data/role.toml role.toml`
	for name, c := range map[string]struct {
		first  string // before it is watched
		script string
		role   string // what role.toml has then; "" = what it had
		drops  texts  // and the folder; nil = what it had
	}{
		"cp in place": {script: "echo '# new' >../new; cp ../new role.toml", role: "# new\n"},
		"echo":        {script: "echo \"role = 'head'\" >role.toml", role: "role = 'head'\n"},
		"append":      {script: "echo \"# more\" >>role.toml", role: "role = 'single'\n# more\n"},
		"sed -i":      {script: "sed -i s/single/head/ role.toml", role: "role = 'head'\n"},
		"mv over it (Ansible)": {
			script: "echo \"role = 'head'\" >.ansible_tmp1role.toml; chmod 600 .ansible_tmp1role.toml; mv " +
				".ansible_tmp1role.toml role.toml",
			role: "role = 'head'\n",
		},
		"mv from elsewhere": {
			script: "echo \"role = 'head'\" >../role.toml; mv ../role.toml role.toml", role: "role = 'head'\n",
		},
		"Puppet": {
			script: "echo \"role = 'head'\" >role.toml20240101-1-abc; chown $(id -u) role.toml20240101-1-abc; chmod 644 " +
				"role.toml20240101-1-abc; mv role.toml20240101-1-abc role.toml",
			role: "role = 'head'\n",
		},
		"vim with backup rename": {
			script: "touch 4913; rm 4913; touch .role.toml.swp; mv role.toml role.toml~; echo \"role = 'head'\" >role.toml; " +
				"sync role.toml; chmod 644 role.toml; rm role.toml~ .role.toml.swp",
			role: "role = 'head'\n",
		},
		"vim with backupcopy": {
			script: "cp role.toml role.toml~; : >role.toml; echo \"role = 'head'\" >>role.toml; rm role.toml~",
			role:   "role = 'head'\n",
		},
		"emacs": {
			script: "ln -s me@host.1 .#role.toml; cp role.toml role.toml~; echo \"role = 'head'\" >'#role.toml#'; mv " +
				"'#role.toml#' role.toml; rm .#role.toml",
			role: "role = 'head'\n",
		},
		"removed and made": {script: "rm role.toml; echo \"role = 'head'\" >role.toml", role: "role = 'head'\n"},
		"install": {
			script: "echo \"role = 'head'\" >../new; install -m 644 ../new role.toml", role: "role = 'head'\n",
		},
		"rsync-like": {
			script: "echo \"role = 'head'\" >.role.toml.Ab3; mv -f .role.toml.Ab3 role.toml", role: "role = 'head'\n",
		},
		"a link to another file": {
			script: "echo \"role = 'head'\" >../other; ln -sf ../other role.toml", role: "role = 'head'\n",
		},
		"a link switched": {
			first:  "mv role.toml ../a; ln -s ../a role.toml; echo \"role = 'head'\" >../b",
			script: "ln -s ../b new; mv -T new role.toml", role: "role = 'head'\n",
		},
		"behind a link": {
			first: "mv role.toml ../a; ln -s ../a role.toml", script: "echo \"role = 'head'\" >../a", role: "role = 'head'\n",
		},
		"mv behind two links": {
			first:  "mkdir ../x ../y; mv role.toml ../y/a; ln -s ../y/a ../x/b; ln -s ../x/b role.toml",
			script: "echo \"role = 'head'\" >../y/new; mv ../y/new ../y/a", role: "role = 'head'\n",
		},
		"a link in the middle": {
			first:  "mkdir ../x ../y; mv role.toml ../y/a; ln -s ../y/a ../x/b; ln -s ../x/b role.toml",
			script: "echo \"role = 'head'\" >../c; ln -sf ../c ../x/b", role: "role = 'head'\n",
		},
		"Kubernetes": {
			first: kubernetes,
			script: `mkdir ..2024_2; echo "role = 'worker'" >..2024_2/role.toml; ln -s ..2024_2 ..data_tmp; ` +
				`mv -T ..data_tmp ..data; rm -r ..2024_1`,
			role: "role = 'worker'\n",
		},
		"Kubernetes, drop-ins": {
			first: `rm -r role.toml.d; mkdir role.toml.d; cd role.toml.d; mkdir ..1; echo "# a" >..1/a.toml; ` +
				`ln -s ..1 ..data; ln -s ..data/a.toml a.toml`,
			script: `cd role.toml.d; mkdir ..2; echo "# b" >..2/a.toml; ln -s ..2 ..data_tmp; ` +
				`mv -T ..data_tmp ..data; rm -r ..1`,
			drops: texts{"role.toml.d/a.toml": "# b\n"},
		},
		"a drop-in": {
			script: "echo '# x' >role.toml.d/20.toml",
			drops:  texts{"role.toml.d/10.toml": "# ten\n", "role.toml.d/20.toml": "# x\n"},
		},
		"a drop-in goes": {script: "rm role.toml.d/10.toml", drops: texts{}},
		"a drop-in renamed": {
			script: "mv role.toml.d/10.toml role.toml.d/30.toml", drops: texts{"role.toml.d/30.toml": "# ten\n"},
		},
		"a drop-in put aside": {script: "mv role.toml.d/10.toml role.toml.d/10.toml.off", drops: texts{}},
		"a drop-in linked": {
			script: "echo '# l' >../l; ln -s ../../l role.toml.d/20.toml",
			drops:  texts{"role.toml.d/10.toml": "# ten\n", "role.toml.d/20.toml": "# l\n"},
		},
		"behind a drop-in": {
			first: "echo '# l' >../l; ln -s ../../l role.toml.d/20.toml", script: "echo '# m' >../l",
			drops: texts{"role.toml.d/10.toml": "# ten\n", "role.toml.d/20.toml": "# m\n"},
		},
		"the folder is new": {
			first: "rm -r role.toml.d", script: "mkdir role.toml.d; echo '# x' >role.toml.d/1.toml",
			drops: texts{"role.toml.d/1.toml": "# x\n"},
		},
		"the folder goes": {script: "rm -r role.toml.d", drops: texts{}},
		"the folder replaced": {
			script: "mkdir new; echo '# n' >new/1.toml; mv role.toml.d old; mv new role.toml.d",
			drops:  texts{"role.toml.d/1.toml": "# n\n"},
		},
		"the folder linked": {
			script: "mkdir ../new; echo '# n' >../new/1.toml; rm -r role.toml.d; ln -s ../new role.toml.d",
			drops:  texts{"role.toml.d/1.toml": "# n\n"},
		},
		"the folder's link": {
			first:  "mv role.toml.d ../old; ln -s ../old role.toml.d; mkdir ../new; echo '# n' >../new/1.toml",
			script: "ln -sfT ../new role.toml.d", drops: texts{"role.toml.d/1.toml": "# n\n"},
		},
		"all folders replaced": {
			script: "cd ..; cp -r etc new; echo \"role = 'head'\" >new/role.toml; mv etc old; mv new etc",
			role:   "role = 'head'\n",
		},
		"both at once": {
			script: "echo \"role = 'head'\" >role.toml; echo '# x' >role.toml.d/10.toml", role: "role = 'head'\n",
			drops: texts{"role.toml.d/10.toml": "# x\n"},
		},
		"written in two pieces": {
			script: "printf \"role = 'he\" >role.toml; sleep 0.3; echo \"ad'\" >>role.toml", role: "role = 'head'\n",
		},
		"emptied first": {
			script: ": >role.toml; sleep 0.3; echo \"role = 'head'\" >>role.toml", role: "role = 'head'\n",
		},
		"no new line at its end": {script: "printf \"role = 'head'\" >role.toml", role: "role = 'head'"},
		"it goes":                {script: "rm role.toml", role: "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t, before)
			if c.first != "" {
				f.sh(c.first)
			}
			want := f.look()
			before := maps.Clone(want)
			f.watch(f.open())
			if c.role == "gone" {
				delete(want, "role.toml")
			} else if c.role != "" {
				want["role.toml"] = c.role
			}
			if c.drops != nil {
				maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "role.toml.d/") })
				maps.Copy(want, c.drops)
			}
			took := f.sh(c.script)
			f.settlesAt(before, want, took)
			f.quietly(want)
		})
	}
}

// settlesAt waits for want. What settles on the way, on a host so busy that a script pauses, has
// each file as it was, as it will be, or not at all: half of one only where the script took so long
// that this looks like its end.
func (f *folder) settlesAt(before, want texts, took time.Duration) {
	f.Helper()
	for got := f.settles(); !got.Same(want); got = f.settles() {
		if took >= unfinishedQuietTime {
			continue
		}
		for name, text := range got {
			require.Contains(f, []string{before[name], want[name]}, text, name)
		}
	}
}

// What changes nothing, or nothing of ours, is not told.
func TestWatch_NothingOfOurs(t *testing.T) {
	for name, script := range map[string]string{
		"touched":             "touch role.toml role.toml.d/10.toml",
		"written again":       "cat role.toml >../same; cp ../same role.toml",
		"written again by mv": "cp role.toml new; mv new role.toml",
		"chmod":               "chmod 600 role.toml; chmod 700 role.toml.d",
		"other files": "echo x >other.toml; echo x >role.toml.d/README; echo x >role.toml.d/.10.toml.swp; echo " +
			"x >role.toml.d/.hidden.toml; mkdir -p sub/role.toml.d; echo x >sub/role.toml",
		"there and back":        "mv role.toml x; mv x role.toml",
		"the folder and back":   "mv role.toml.d x; mv x role.toml.d",
		"another and back":      "cp role.toml x; echo y >role.toml; mv x role.toml",
		"a linked copy":         "cp role.toml ../c; ln -sf ../c role.toml",
		"the folder by a copy":  "cp -r role.toml.d x; rm -r role.toml.d; mv x role.toml.d",
		"an editor's leftovers": "touch .role.toml.swp 4913 role.toml~; rm .role.toml.swp 4913",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t, texts{"role.toml": "role = 'single'\n", "role.toml.d/10.toml": "# ten\n"})
			want := f.look()
			f.watch(f.open())
			if f.sh(script) >= quietTime { // what was there on the way may have settled
				f.write("token", "a busy host\n")
				want["token"] = "a busy host\n"
				for !f.settles().Same(want) {
				}
			}
			f.quietly(want)
		})
	}
}

// A folder that has been replaced many times is watched as well as at first, and by no more
// watches.
func TestWatch_ReplacedManyTimes(t *testing.T) {
	f := newFolder(t, texts{"role.toml": "# 0\n", "role.toml.d/10.toml": "# ten\n"})
	k := f.open()
	f.watch(k)
	f.write("token", "1\n")
	f.settles()
	before := len(k.fs.WatchList())
	for i := range 10 {
		f.sh(
			"cp -r role.toml.d new; rm -r role.toml.d; mv new role.toml.d; cd ..; cp -r etc new; mv etc old; mv new etc; rm " +
				"-r old",
		)
		text := fmt.Sprintf("# %d\n", i)
		f.write("role.toml.d/10.toml", text)
		for f.settles()["role.toml.d/10.toml"] != text { // a busy host sees the steps
		}
		require.Len(t, k.fs.WatchList(), before)
	}
}

// Without an Inotify, there are looks all the same.
func TestWatch_WithoutInotify(t *testing.T) {
	f := newFolder(t, texts{"role.toml": "# 0\n"})
	known := f.look()
	f.write("role.toml", "# 1\n")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- Watch(
			ctx, nil, Subject[texts]{Paths: f.paths, Look: f.look, Known: known, Settled: func(t texts) { f.settled <- t }},
		)
	}()
	require.Equal(t, texts{"role.toml": "# 1\n"}, f.settles(), "what changed before the watch began")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// Who cannot wait gets what is there; it does not settle again.
func TestWatch_Now(t *testing.T) {
	f := newFolder(t, texts{"role.toml": "# 0\n"})
	f.watch(f.open())
	f.write("role.toml", "# 1")
	require.Equal(t, texts{"role.toml": "# 1"}, f.ask())
	f.quietly(texts{"role.toml": "# 1"})
}

// A storm of events nearby costs a few looks, and delays a change by the bound at most.
func TestWatch_Storm(t *testing.T) {
	f := newFolder(t, texts{"role.toml": "# 0\n"})
	f.watch(f.open())
	stop, lulls := make(chan struct{}), make(chan time.Duration)
	go func() {
		longest := time.Duration(0)
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-stop:
				lulls <- longest
				return
			default:
				_ = os.Chtimes(f.path("role.toml"), time.Time{}, time.Now())
				time.Sleep(time.Millisecond)
				longest = max(longest, time.Since(last))
			}
		}
	}()
	start := time.Now()
	looks := f.looks.Load()
	f.write("role.toml.d/1.toml", "# 1\n")
	require.Contains(t, f.settles(), "role.toml.d/1.toml")
	took := time.Since(start)
	close(stop)
	if lull := <-lulls; lull < quietTime/2 { // on a busy host it has lulls, and a change settles in one
		require.GreaterOrEqual(t, took, maxDelay-quietTime, "the storm was one")
	}
	require.Less(t, took, 2*maxDelay)
	require.LessOrEqual(t, f.looks.Load()-looks, int64(took/lookInterval)+2)
}

// How long it takes from an edit to its settling: the quiet time and little more.
func BenchmarkWatch_EditToSettled(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "role.toml")
	look := func() texts {
		data, _ := os.ReadFile(path)
		return texts{path: string(data)}
	}
	k, err := Open()
	require.NoError(b, err)
	settled, now := make(chan texts), make(chan func(texts))
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = Watch(
			ctx,
			k,
			Subject[texts]{
				Paths:   func() []string { return []string{path} },
				Look:    look,
				Known:   look(),
				Settled: func(t texts) { settled <- t },
				Now:     now,
			},
		)
	}()
	ready := make(chan struct{})
	now <- func(texts) { close(ready) }
	<-ready
	var all []time.Duration
	for i := 0; b.Loop(); i++ {
		require.NoError(b, os.WriteFile(path+".new", fmt.Appendf(nil, "# %d\n", i), 0o600))
		start := time.Now()
		require.NoError(b, os.Rename(path+".new", path))
		<-settled
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)-1].Milliseconds()), "ms-max")
	cancel()
	<-ended
	require.NoError(b, k.Close())
}
