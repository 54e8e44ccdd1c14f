package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// prepare checks what can be checked on this host alone, and lists everything that is wrong with it at once.
func (l *life) prepare(ctx context.Context) error {
	var problems []error
	install, err := ray.Inspect(ctx, l.role.Ray.Bin, l.run)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		problems = append(problems, unfit("ray.bin", "%w: install Ray there or name another program", err))
	case l.role.Auth.Mode == role.Token && !install.AtLeast(2, 52):
		problems = append(problems, unfit("auth.mode", `"token" needs Ray 2.52 or newer, %s is %s: upgrade Ray or say "none"`, install.Bin, install.Ray))
	}
	if l.keepsState() && err == nil && !install.KeepsState() {
		problems = append(problems, unfit("cluster.persistent_head", "needs Ray 2.57 or newer, %s is %s: upgrade Ray or name a cluster.redis", install.Bin, install.Ray))
	}
	token, err := readToken(l.role, credentials(l.role))
	l.install = install
	l.head.Token = token.secret
	l.node = ray.Node{
		Role: l.role, Head: l.role.Kind == role.Head, Name: l.nodeName(),
		TempDir: l.place.tempDir(l.role), TokenFile: token.file, StoreDir: l.place.storeDir(), Version: install.Ray,
	}
	problems = append(problems, err, room("the state folder", l.place.State), l.place.makeTemp(l.role), l.equip(), l.jobFound())
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

// token is the cluster's token: what our own client sends, and the file that Ray reads it from.
type token struct {
	secret gcs.Token
	file   string
}

// credential is the token's name as a systemd credential.
const credential = "ray-token"

// UnitName is the systemd unit of an instance, as the package ships them.
func UnitName(instance string) string {
	if instance == "role" {
		return "raynoded.service"
	}
	return "raynoded@" + instance + ".service"
}

// credentials is where systemd keeps the credentials of this process; of a command beside the unit, those of the unit.
func credentials(r *role.Role) string {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		return dir
	}
	dir := filepath.Join("/run/credentials", UnitName(r.Name))
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// tokenFile is the file with the token: the one that the role names, or systemd's credential; "" = the cluster has none.
func tokenFile(r *role.Role, credentials string) (string, error) {
	switch {
	case r.Auth.Mode != role.Token:
		return "", nil
	case r.Auth.TokenFile != "":
		return r.Auth.TokenFile, nil
	case credentials == "":
		return "", unfit("auth.token_file", "the mode is token, but there is neither a token_file nor the systemd credential %s", credential)
	}
	return filepath.Join(credentials, credential), nil
}

// readToken reads the token that the role names, or systemd's credential.
func readToken(r *role.Role, credentials string) (token, error) {
	if r.Auth.Mode != role.Token {
		return token{}, nil
	}
	const key = "auth.token_file"
	file, err := tokenFile(r, credentials)
	if err != nil {
		return token{}, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return token{}, unfit(key, "cannot read the token: %w", err)
	}
	if !info.Mode().IsRegular() {
		return token{}, unfit(key, "%s must be a regular file", file)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return token{}, unfit(key, "everybody on this host may use %s (mode %04o): chmod o= %s", file, info.Mode().Perm(), file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return token{}, unfit(key, "cannot read the token: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return token{}, unfit(key, "%s holds no token: it must be one line of printable ASCII", file)
	}
	return token{secret: gcs.NewToken(secret), file: file}, nil
}
