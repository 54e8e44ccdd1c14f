package daemon

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// A Ray of this host that cannot say its version now is no reason to refuse the head for good.
func TestLife_Fits_CannotAsk(t *testing.T) {
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errLimit)
	bin := filepath.Join(t.TempDir(), "ray")
	for name, c := range map[string]struct {
		ctx context.Context
		err error
	}{
		"it takes too long": {over, errLimit},
		"it does not start": {t.Context(), ray.ErrNotRay},
	} {
		t.Run(name, func(t *testing.T) {
			before := ray.Install{Bin: bin, Ray: "2.59.1", Python: "3.11.7"}
			l := &life{Daemon: daemonOf(newRole(role.Worker)), role: newRole(role.Worker), install: before}
			l.tree = &child.Tree{}
			err := l.fits(c.ctx, gcs.Versions{Ray: "2.60.0", Python: "3.11.7"})
			require.ErrorIs(t, err, c.err)
			require.NotErrorIs(t, err, ErrMismatch)
			require.ErrorContains(t, err, "cannot ask "+bin+" for its versions: ")
			require.Equal(t, before, l.install)
		})
	}
}
