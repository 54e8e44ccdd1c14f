// Package units holds the systemd units of raynoded and examples of drop-ins; there is no code
// here, only their tests.
package units

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

func TestTemplate_IsTheServiceButForItsName(t *testing.T) {
	instance := strings.NewReplacer(
		"Description=raynoded, a Ray node\n", "Description=raynoded, the Ray node of role %i\n",
		"/etc/raynoded/role.toml", "/etc/raynoded/%i.toml",
		"raynoded/role", "raynoded/%i",
	)
	require.Equal(t, instance.Replace(read(t, "raynoded.service")), read(t, "raynoded@.service"))
}

func TestService_KeepsTheContract(t *testing.T) {
	// What the daemon, the manual and the operators rely on; see the unit for the reasons.
	require.Subset(t, settings(t, "raynoded.service"), []string{
		"[Unit] AssertPathExists=/etc/raynoded/role.toml",
		"[Unit] StartLimitIntervalSec=0",
		"[Service] Type=notify",
		"[Service] NotifyAccess=main",
		"[Service] ExecStart=/usr/bin/raynoded run --role /etc/raynoded/role.toml",
		"[Service] ExecReload=/usr/bin/raynoded reload --role /etc/raynoded/role.toml",
		"[Service] User=raynoded",
		"[Service] LoadCredential=ray-token:ray-token",
		"[Service] Restart=on-abnormal",
		"[Service] RestartForceExitStatus=69 70 SIGPIPE",
		"[Service] RestartSec=10s",
		"[Service] TimeoutStartSec=infinity",
		"[Service] TimeoutStopSec=15min",
		"[Service] TimeoutAbortSec=30s",
		"[Service] WatchdogSec=60s",
		"[Service] KillMode=mixed",
		"[Service] Delegate=yes",
		"[Service] OOMPolicy=continue",
		"[Service] TasksMax=infinity",
		"[Service] LimitMEMLOCK=infinity",
		"[Service] StateDirectory=raynoded/role",
		"[Service] RuntimeDirectory=raynoded/role",
	})
}

// Keys that systemd 249 has, of which Delegate=, OOMPolicy= and TimeoutAbortSec= (243),
// ProtectKernelLogs= (244) and LoadCredential= (247) are the youngest. Look a new one up in
// systemd.directives(7) before it goes in here: an older systemd logs "Unknown key" at every start
// and ignores it.
var knownTo249 = []string{
	"After", "AssertPathExists", "CapabilityBoundingSet", "Delegate", "Description", "Documentation", "ExecReload",
	"ExecStart", "ExecStartPre", "KillMode", "LimitCORE", "LimitMEMLOCK", "LimitNOFILE", "LoadCredential",
	"LockPersonality",
	"NoNewPrivileges", "NotifyAccess", "OOMPolicy", "ProtectKernelLogs", "ProtectKernelModules", "ProtectSystem",
	"Restart",
	"RestartForceExitStatus", "RestartSec", "RestrictRealtime", "RuntimeDirectory", "StartLimitIntervalSec",
	"StateDirectory", "SystemCallArchitectures", "TasksMax", "TimeoutAbortSec", "TimeoutStartSec", "TimeoutStopSec",
	"Type",
	"User",
	"WantedBy",
	"Wants", "WatchdogSec",
}

// `raynoded check` warns of a stop that does not fit.
func TestService_StopTimeoutIsTheRoles(t *testing.T) {
	want := fmt.Sprintf("[Service] TimeoutStopSec=%dmin", int(role.UnitStopTimeout.Minutes()))
	require.Contains(t, settings(t, "raynoded.service"), want)
}

func TestService_IsKnownToSystemd249(t *testing.T) {
	for _, s := range settings(t, "raynoded.service") {
		_, setting, _ := strings.Cut(s, " ")
		key, _, _ := strings.Cut(setting, "=")
		require.Contains(t, knownTo249, key)
	}
}

func TestUnits_VerifySilently(t *testing.T) {
	needAnalyze(t)
	for _, unit := range []string{"raynoded.service", "raynoded@x.service", "training.service"} {
		t.Run(unit, func(t *testing.T) {
			require.Empty(t, verify(t, host(t), unit))
		})
	}
	dropIns, err := filepath.Glob("examples/*.conf")
	require.NoError(t, err)
	require.NotEmpty(t, dropIns)
	for _, path := range dropIns {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dir := host(t)
			write(t, filepath.Join(dir, "raynoded.service.d", filepath.Base(path)), everything(read(t, path)))
			require.Empty(t, verify(t, dir, "raynoded.service"))
		})
	}
}

// The sandbox cannot quietly get weaker. The figures are systemd's, ten times its "exposure level";
// 252 gives higher ones than 257.
func TestUnits_Exposure(t *testing.T) {
	needAnalyze(t)
	if v := version(t); v < 250 {
		t.Skipf("systemd-analyze %d cannot look at a unit file, only 250 and later can", v)
	}
	for _, c := range []struct {
		dropIn string
		most   string
	}{
		{"", "58"},
		{"user.conf", "58"},
		{"hardened-head.conf", "17"},
	} {
		t.Run("with "+c.dropIn, func(t *testing.T) {
			dir := host(t)
			if c.dropIn != "" {
				write(t, filepath.Join(dir, "raynoded.service.d", c.dropIn), read(t, "examples/"+c.dropIn))
			}
			out, err := analyze(
				dir, "security", "--no-pager", "--offline=true", "--threshold="+c.most, filepath.Join(dir, "raynoded.service"),
			)
			require.NoError(t, err, out)
		})
	}
}

// host returns a folder with the units as an installed host has them, except that the programs they
// start exist here.
func host(t *testing.T) string {
	dir := t.TempDir()
	for _, path := range []string{"raynoded.service", "raynoded@.service", "examples/training.service"} {
		text := regexp.MustCompile(`(?m)^(Exec\w+=)/(usr|opt)/\S+`).ReplaceAllString(read(t, path), "${1}/bin/true")
		write(t, filepath.Join(dir, filepath.Base(path)), text)
	}
	return dir
}

// everything turns the settings on that an example offers as a comment.
func everything(text string) string {
	return regexp.MustCompile(`(?m)^#([A-Z]\w+=)`).ReplaceAllString(text, "$1")
}

func needAnalyze(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here: it comes with the package systemd")
	}
}

// verify returns all that systemd-analyze says of a unit. Its exit code says nothing: it is 0 for
// unknown keys.
func verify(t *testing.T, dir, unit string) string {
	out, err := analyze(dir, "verify", "--man=no", filepath.Join(dir, unit))
	require.NoError(t, err, out)
	return out
}

func analyze(dir string, args ...string) (string, error) {
	cmd := exec.Command("systemd-analyze", args...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func version(t *testing.T) int {
	out, err := analyze("", "--version")
	require.NoError(t, err, out)
	v, err := strconv.Atoi(strings.Fields(out)[1])
	require.NoError(t, err, out)
	return v
}

// settings returns the lines of a unit that are neither comments nor empty, each after its section.
func settings(t *testing.T, path string) []string {
	var section string
	var all []string
	for line := range strings.Lines(read(t, path)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		default:
			all = append(all, section+" "+line)
		}
	}
	require.False(
		t, slices.ContainsFunc(all, func(s string) bool { return !strings.Contains(s, "=") }), "a line without =: %q", all,
	)
	return all
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func write(t *testing.T, path, text string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
