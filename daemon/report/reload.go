package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/role"
)

// reloadPath is where a reload is asked for, by POST.
const reloadPath = "/v1/reload"

// Reloaded is what came of a reload. All lists are keys of the role file, such as
// "watchdog.silent".
type Reloaded struct {
	// Applied are those that apply from now on.
	Applied []string `json:"applied"`
	// Pending are all that wait for Ray's next start, also of earlier reloads.
	Pending []string `json:"pending"`
	// Restarting are those for which Ray is being stopped and started anew.
	Restarting []string `json:"restarting"`
	// Errors are what is wrong with the files. If there are any, nothing has changed.
	Errors role.Problems `json:"errors"`
}

// String says it in one line for each list.
func (r Reloaded) String() string {
	var lines []string
	for _, part := range []struct {
		words string
		keys  []string
	}{{"applied", r.Applied}, {"Ray is being started anew for", r.Restarting}, {"restart pending", r.Pending}} {
		if len(part.keys) > 0 {
			lines = append(lines, part.words+": "+strings.Join(part.keys, ", "))
		}
	}
	if len(lines) == 0 {
		return "nothing to do: what the files say is in force"
	}
	return strings.Join(lines, "\n")
}

// ErrNobody says that no daemon listens at a socket.
var ErrNobody = errors.New("no raynoded runs there")

// Reload asks the daemon at a socket to read its files now, and returns once that is done. What is
// wrong with the files is in the result and no error.
func Reload(ctx context.Context, socket string) (Reloaded, error) {
	client := &http.Client{
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		}},
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://raynoded"+reloadPath, nil)
	if err != nil {
		return Reloaded{}, err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ECONNREFUSED):
		return Reloaded{}, fmt.Errorf("%w: %s", ErrNobody, socket)
	case errors.Is(err, unix.EACCES):
		return Reloaded{}, fmt.Errorf("only root and the user that raynoded runs as may use %s: %w", socket, unix.EACCES)
	case err != nil:
		return Reloaded{}, fmt.Errorf("cannot ask raynoded at %s: %w", socket, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return Reloaded{}, fmt.Errorf(
			"the raynoded that runs does not reload (%s): %s", resp.Status, strings.TrimSpace(string(why)),
		)
	}
	var r Reloaded
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return Reloaded{}, fmt.Errorf("cannot read raynoded's answer: %w", err)
	}
	return r, nil
}

// Desk is who answers.
type Desk struct {
	// Reload reads the files now and says what came of it, or why it could not.
	Reload func(ctx context.Context) (Reloaded, error)
}

// hangUp is how long a client may take to ask, and a daemon that ends to finish an answer.
const hangUp = 5 * time.Second

// Listen makes the socket, which is for root and the user that this process runs as. One that is
// there already is a dead daemon's: the caller has made sure that no other lives.
func Listen(socket string) (net.Listener, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Serve answers until its context ends, and takes the socket away.
func Serve(ctx context.Context, l net.Listener, d Desk) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+reloadPath, func(w http.ResponseWriter, req *http.Request) {
		r, err := d.Reload(req.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r) // who has hung up needs no answer
	})
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: hangUp,
		IdleTimeout:       hangUp,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUp)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
	}()
	err := server.Serve(l)
	if ctx.Err() == nil {
		return err
	}
	<-stopped
	return context.Cause(ctx)
}
