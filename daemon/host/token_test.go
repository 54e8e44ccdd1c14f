package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

func TestReadToken(t *testing.T) {
	const unfit = "this host is not fit: auth.token_file: "
	cases := []struct {
		name        string
		text        string
		mode        os.FileMode
		credentials bool   // the file is systemd's
		err         string // $FILE is the file
	}{
		{"good", "hush-hush", 0o600, false, ""},
		{"white space around it", "\n hush-hush\r\n", 0o640, false, ""},
		{"systemd's credential", "hush-hush\n", 0o440, true, ""},
		{
			"everybody may read it", "hush-hush", 0o644, false,
			"everybody on this host may use $FILE (mode 0644): chmod o= $FILE",
		},
		{
			"everybody may write it", "hush-hush", 0o602, false,
			"everybody on this host may use $FILE (mode 0602): chmod o= $FILE",
		},
		{"empty", " \n", 0o600, false, "$FILE holds no token: it must be one line of printable ASCII"},
		{"two lines", "hush-hush\nhush-hush", 0o600, false, "$FILE holds no token: it must be one line of printable ASCII"},
		{"blanks in it", "hush hush", 0o600, false, "$FILE holds no token: it must be one line of printable ASCII"},
		{"not ASCII", "hüsh", 0o600, false, "$FILE holds no token: it must be one line of printable ASCII"},
		{"a pipe", "", 0o600, false, "$FILE must be a regular file"},
		{"no file", "", 0, false, "cannot read the token: stat $FILE: no such file or directory"},
		{"no credential", "", 0, true, "cannot read the token: stat $FILE: no such file or directory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			dirs := []string{t.TempDir(), dir} // of a unit with other credentials, and of raynoded's
			if c.mode == 0 {
				dirs = dirs[1:]
			}
			file := filepath.Join(dir, credential)
			if c.mode != 0 {
				require.NoError(t, os.WriteFile(file, []byte(c.text), c.mode))
				require.NoError(t, os.Chmod(file, c.mode))
			}
			r := newRole(role.Worker)
			r.Auth.Mode = role.Token
			if !c.credentials {
				r.Auth.TokenFile, dirs = file, nil
			}
			if c.name == "a pipe" {
				require.NoError(t, os.Remove(file))
				require.NoError(t, unix.Mkfifo(file, 0o600))
			}
			got, err := readToken(r, dirs)
			require.NotContains(t, fmt.Sprintf("%v %+v %#v %v", got, got, got, err), "hush", "no secret in any text")
			if c.err != "" {
				require.ErrorIs(t, err, reason.ErrHost)
				require.EqualError(t, err, unfit+replaceFile(c.err, file))
				return
			}
			require.NoError(t, err)
			require.Equal(t, Token{Secret: gcs.NewToken("hush-hush"), File: file}, got)
		})
	}
}

func replaceFile(text, file string) string {
	return os.Expand(text, func(string) string { return file })
}

func TestReadToken_None(t *testing.T) {
	r := newRole(role.Worker)
	r.Auth.Mode = role.None
	got, err := readToken(r, []string{"/none"})
	require.NoError(t, err)
	require.Equal(t, Token{}, got)

	r.Auth.Mode = role.Token
	_, err = readToken(r, nil)
	require.EqualError(
		t, err,
		"this host is not fit: auth.token_file: the mode is token, but there is neither a token_file nor the systemd "+
			"credential ray-token",
	)
}
