package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Token is the cluster's token: what our own client sends, and the file that it comes from. Ray is
// given a copy of that file.
type Token struct {
	Secret gcs.Token
	File   string // "" = the cluster has none
}

// credential is the token's name as a systemd credential.
const credential = "ray-token"

// credentials are the folders where systemd keeps the credentials of this process, and those of the
// unit: a command beside it may be in a unit of its own.
func credentials(r *role.Role) []string {
	dirs := []string{os.Getenv("CREDENTIALS_DIRECTORY"), filepath.Join("/run/credentials", UnitName(r.Name))}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		_, err := os.Stat(dir)
		return err != nil
	})
}

// credentialFile is the file of a credential, in the first folder that has it; in the first folder
// if none has; "" = there are no folders.
func credentialFile(dirs []string, name string) string {
	for _, dir := range dirs {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			return file
		}
	}
	if len(dirs) == 0 {
		return ""
	}
	return filepath.Join(dirs[0], name)
}

// tokenFile is the file with the token: the one that the role names, or systemd's credential; "" =
// the cluster has none.
func tokenFile(r *role.Role, credentials []string) (string, error) {
	switch {
	case r.Auth.Mode != role.Token:
		return "", nil
	case r.Auth.TokenFile != "":
		return r.Auth.TokenFile, nil
	case len(credentials) == 0:
		return "", reason.Unfit(
			"auth.token_file", "the mode is token, but there is neither a token_file nor the systemd credential %s",
			credential,
		)
	}
	return credentialFile(credentials, credential), nil
}

// ReadToken reads the token that the role names, or systemd's credential.
func ReadToken(r *role.Role) (Token, error) { return readToken(r, credentials(r)) }

// readToken reads the token that the role names, or systemd's credential.
func readToken(r *role.Role, credentials []string) (Token, error) {
	if r.Auth.Mode != role.Token {
		return Token{}, nil
	}
	const key = "auth.token_file"
	file, err := tokenFile(r, credentials)
	if err != nil {
		return Token{}, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return Token{}, reason.Unfit(key, "cannot read the token: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Token{}, reason.Unfit(key, "%s must be a regular file", file)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return Token{}, reason.Unfit(
			key, "everybody on this host may use %s (mode %04o): chmod o= %s", file, info.Mode().Perm(), file,
		)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Token{}, reason.Unfit(key, "cannot read the token: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, reason.Unfit(key, "%s holds no token: it must be one line of printable ASCII", file)
	}
	return Token{Secret: gcs.NewToken(secret), File: file}, nil
}

// rayTokenOf is the file that Ray is given for a token file: the copy. Its path is the same on all
// hosts, wherever each has its token from: a job may send its environment, with this path in it, to
// all of them.
func (d Dirs) rayTokenOf(file string) string {
	if file == "" {
		return ""
	}
	return d.RayToken()
}

// WriteRayToken writes Ray's copy of the token. The copy does not change while Ray runs: each of
// Ray's processes reads it when it starts, and a new token is for a new cluster. A cluster without
// a token has no copy.
func (d Dirs) WriteRayToken(token Token) error {
	if token.File == "" {
		return nil
	}
	if err := copyToken(token.Secret, token.File, d.RayToken()); err != nil {
		return reason.Unfit("the runtime folder", "cannot keep the token: %w", err)
	}
	return nil
}

// copyToken writes a token to a file of this user, and of the group that may read the first one if
// this user is in it: drivers of others read it as well.
func copyToken(secret gcs.Token, from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := Remove(to + ".new"); err != nil {
		return err
	}
	f, err := os.OpenFile(to+".new", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := secret.WriteTo(f); err != nil {
		return err
	}
	if f.Chown(-1, int(info.Sys().(*syscall.Stat_t).Gid)) == nil {
		if err := f.Chmod(0o600 | info.Mode().Perm()&0o040); err != nil {
			return err
		}
	}
	return os.Rename(to+".new", to)
}
