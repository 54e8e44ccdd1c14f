package main

import (
	"cmp"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const unfit = "this host is not fit: "

func TestRun_HostNotFit(t *testing.T) {
	t.Parallel()
	withToken := "auth = { mode = \"token\", token_file = \"$DIR/token\" }\n"
	cases := []struct {
		name   string
		host   string // "worker" if empty
		role   string
		more   string
		env    []string
		taken  string // an address where somebody else listens
		reason string
	}{
		{
			name: "no program at ray.bin", role: workerRole, more: `ray.bin = "$DIR/none"`,
			reason: unfit + "ray.bin: not a Ray program: $DIR/none: no such file or directory: install Ray there or name " +
				"another program",
		},
		{
			name: "another program at ray.bin", role: headRole, more: `ray.bin = "/bin/true"`,
			reason: unfit + "ray.bin: not a Ray program: /bin/true: `true --version` does not answer as Ray does: install " +
				"Ray there or name another program",
		},
		{
			name: "port of the GCS taken", role: headRole, taken: "$HEAD",
			reason: unfit + "cluster.head: port 6379 of $IP is taken by another program: stop that one (ss -ltnp shows it) " +
				"or choose another port",
		},
		{
			name: "fixed port taken", role: headRole, taken: "$IP:7001",
			more: `ray.ports = { node_manager = 7001, dashboard = 8266 }`,
			reason: unfit + "ray.ports.node_manager: port 7001 of $IP is taken by another program: stop that one (ss -ltnp " +
				"shows it) or choose another port",
		},
		{
			name: "fixed port of a worker taken", role: workerRole, taken: "$IP:7001", more: "node.ip = " +
				"\"$IP\"\nray.ports.object_manager = 7001",
			reason: unfit + "ray.ports.object_manager: port 7001 of $IP is taken by another program: stop that one (ss " +
				"-ltnp shows it) or choose another port",
		},
		{
			name: "a file in the way of temp_dir", role: workerRole, more: `ray.temp_dir = "$DIR/token/ray"`,
			reason: unfit + "ray.temp_dir: cannot make the folder: mkdir $DIR/token: not a directory",
		},
		{
			name: "default temp_dir too long", role: workerRole, host: "a-worker-with-a-long-name",
			reason: unfit + "ray.temp_dir: $DIR/a-worker-with-a-long-name/ray is * bytes long, at most 41 leave room for " +
				"Ray's Unix sockets: set a shorter one",
		},
		{
			name: "Ray is too old for tokens", role: headRole, more: withToken, env: []string{"FAKERAY_VERSION=2.51.2"},
			reason: unfit + `auth.mode: "token" needs Ray 2.52 or newer, $BIN is 2.51.2: upgrade Ray or say "none"`,
		},
		{
			name: "no token file", role: workerRole, more: `auth = { mode = "token", token_file = "$DIR/none" }`,
			reason: unfit + "auth.token_file: cannot read the token: stat $DIR/none: no such file or directory",
		},
		{
			name: "neither token file nor credential", role: workerRole, more: `auth.mode = "token"`,
			reason: unfit + "auth.token_file: the mode is token, but there is neither a token_file nor the systemd " +
				"credential ray-token",
		},
		{
			name: "no such credential", role: workerRole, more: `auth.mode = "token"`, env: []string{
				"CREDENTIALS_DIRECTORY=$DIR",
			},
			reason: unfit + "auth.token_file: cannot read the token: stat $DIR/ray-token: no such file or directory",
		},
		{
			name: "no such interface", role: headRole, more: `node.interface = "none0"`,
			reason: unfit + "node.interface: this host has no interface none0",
		},
		{
			name: "no program for the job", role: headRole, more: `job.command = ["train-it", "--all"]`,
			reason: unfit + "job.command: there is no program train-it in $DIR/f/bin:/usr/local/bin:/usr/bin:/bin",
		},
		{
			name: "the job cannot be run", role: singleRole, more: `job.command = ["$DIR/token"]`,
			reason: unfit + "job.command: cannot run $DIR/token: permission denied",
		},
		{
			name: "no folder for the job", role: headRole, more: "cluster.nodes = 2\njob = { command = [\"true\"], dir = " +
				"\"$DIR/none\" }",
			reason: unfit + "job.dir: cannot enter $DIR/none: no such file or directory: make the folder, let this user " +
				"into it or name another",
		},
		{
			name: "no folder for the job of a single host", role: singleRole,
			more: `job = { command = ["true"], dir = "$DIR/token" }`,
			reason: unfit + "job.dir: cannot enter $DIR/token: not a directory: make the folder, let this user into it or " +
				"name another",
		},
		{
			name: "no such program in the job's folder", role: singleRole,
			more:   `job = { command = ["bin/train"], dir = "$DIR" }`,
			reason: unfit + "job.command: cannot run $DIR/bin/train: no such file or directory",
		},
		{
			name: "the head is another host", role: headRole, more: `cluster.head = "192.0.2.1:6379"`,
			reason: unfit + "cluster.head: 192.0.2.1 is 192.0.2.1, which is no address of this host: is this the head? If " +
				"it is, set node.ip",
		},
		{
			name: "the head has no address", role: headRole, more: `cluster.head = "` + noName + `:6379"`,
			reason: unfit + "cluster.head: cannot resolve the name " + noName + ": a head must know its own address: mend " +
				"the name or set node.ip",
		},
		{
			name: "no such profile", role: workerRole, more: `env_from.profiles = ["mine"]`,
			reason: unfit + "env_from.profiles: there is no profile mine in $DIR/profiles or /usr/share/raynoded/profiles*",
		},
		{
			name: "a file that others may read", role: singleRole, more: `env_from.files = ["$DIR/open.env"]`,
			reason: unfit + "env_from.files: everybody on this host may use $DIR/open.env (mode 0644): chmod o= $DIR/open.env",
		},
		{
			name: "no credential for the environment", role: workerRole, more: `env_from.files = ["credential:wandb"]`,
			reason: unfit + "env_from.files: there is no systemd credential wandb: the unit has none",
		},
		{
			name: "all at once", role: workerRole, more: "ray.bin = \"$DIR/none\"\nauth = { mode = \"token\", token_file = " +
				"\"$DIR/none\" }",
			reason: unfit + "ray.bin: not a Ray program: $DIR/none: no such file or directory: install Ray there or name " +
				"another program\n" +
				unfit + "auth.token_file: cannot read the token: stat $DIR/none: no such file or directory",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host(cmp.Or(c.host, "worker"), c.role, c.more).with(c.env...)
			h.write(h.dir+"/token", "hush-hush\n")
			h.write(h.dir+"/open.env", "A=hush-hush\n")
			require.NoError(t, os.Chmod(h.dir+"/open.env", 0o644))
			if c.role == workerRole {
				h.gcs()
			}
			if c.taken != "" {
				l, err := net.Listen("tcp", h.fill(c.taken))
				require.NoError(t, err)
				defer l.Close()
			}
			p := h.run()
			h.ends(p, 71, c.reason)
			require.Empty(t, h.started(), "nothing is started")
			require.NotContains(t, p.stderr(), " running")
			require.NotContains(t, p.stderr(), "hush-hush")
		})
	}
}

// noName is no name that DNS could know, so nobody is asked for it.
const noName = "gpu..invalid"

func TestRun_StateFolderNotFit(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole).with("STATE_DIRECTORY=$DIR/file/worker")
	h.write(filepath.Join(h.dir, "file"), "")
	p := h.run()
	require.Equal(t, 71, p.exit())
	require.True(
		t,
		strings.HasSuffix(
			p.stderr(),
			h.fill(" error: ended: "+unfit+"the state folder: cannot make the folder: mkdir $DIR/file: not a directory"),
		),
		p.stderr(),
	)
	require.Empty(t, h.started())
}

// Everybody on the host could use such a token.
func TestRun_TokenForEverybody(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, `auth = { mode = "token", token_file = "$DIR/token" }`)
	h.write(h.dir+"/token", "hush-hush\n")
	require.NoError(t, os.Chmod(h.dir+"/token", 0o644))
	p := h.run()
	h.ends(p, 71, unfit+"auth.token_file: everybody on this host may use $DIR/token (mode 0644): chmod o= $DIR/token")
	require.NotContains(t, p.stderr(), "hush-hush")
}
