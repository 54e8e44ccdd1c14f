package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// prepare checks what can be checked on this host alone, and lists everything that is wrong with it
// at once.
func (l *life) prepare(ctx context.Context) error {
	var problems []error
	install, err := ray.Inspect(ctx, l.role.Ray.Bin, l.run)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		problems = append(problems, unfit("ray.bin", "%w: install Ray there or name another program", err))
	case l.role.Auth.Mode == role.Token && !install.AtLeast(2, 52):
		problems = append(
			problems,
			unfit("auth.mode", `"token" needs Ray 2.52 or newer, %s is %s: upgrade Ray or say "none"`, install.Bin, install.Ray),
		)
	}
	if l.keepsState() && err == nil && !install.KeepsState() {
		problems = append(
			problems,
			unfit(
				"cluster.persistent_head", "needs Ray 2.57 or newer, %s is %s: upgrade Ray or name a cluster.redis", install.Bin,
				install.Ray,
			),
		)
	}
	token, err := readToken(l.role, credentials(l.role))
	l.install = install
	l.head.Token = token.secret
	l.node = ray.Node{
		Role: l.role, Head: l.role.Kind == role.Head, Name: l.nodeName(),
		TempDir: l.place.tempDir(
			l.role,
		), TokenFile: l.place.rayToken(l.role, token.file), StoreDir: l.place.storeDir(), Version: install.Ray,
	}
	problems = append(
		problems, err, room("the state folder", l.place.State), l.place.makeTemp(l.role), l.equip(), l.jobFound(),
	)
	if l.keepsState() {
		problems = append(problems, l.place.makeStore())
	}
	return errors.Join(problems...)
}

// keepsState says whether this is a head whose GCS keeps its state on this host.
func (l *life) keepsState() bool {
	c := l.role.Cluster
	return l.role.Kind == role.Head && c.PersistentHead && c.Redis == (role.Address{})
}

func (l *life) nodeName() string {
	if l.role.Node.Name != "" {
		return l.role.Node.Name
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// jobFound says early what would only be seen once the cluster is complete.
func (l *life) jobFound() error {
	if len(l.role.Job.Command) == 0 {
		return nil
	}
	_, err := l.jobProgram()
	return err
}

// ports checks that the fixed ports are free on the node's address.
func (l *life) ports() error {
	var problems []error
	check := func(p ray.Port, ip string) {
		if err := ray.CheckFree(p, ip); err != nil {
			problems = append(problems, fmt.Errorf("%w: %w", ErrHost, err))
		}
	}
	if l.node.Head {
		check(ray.Port{Key: "cluster.head", Number: l.role.Cluster.Head.Port}, l.node.IP)
	}
	for _, p := range ray.Ports(l.role, l.node.Head) {
		if p.Key == "ray.ports.dashboard" {
			check(p, l.role.Ray.DashboardHost)
		} else {
			check(p, l.node.IP)
		}
	}
	return errors.Join(problems...)
}

// UnitName is the systemd unit of an instance, as the package ships them.
func UnitName(instance string) string {
	if instance == "role" {
		return "raynoded.service"
	}
	return "raynoded@" + instance + ".service"
}
