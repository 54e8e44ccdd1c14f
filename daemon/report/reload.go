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

// reloadPath is where a POST asks for a reload.
const reloadPath = "/v1/reload"

// Reloaded is the result of a reload. All lists are keys of the role file, such as
// "watchdog.silent".
type Reloaded struct {
	// Applied are the keys that apply from now on.
	Applied []string `json:"applied"`
	// Pending are all keys that wait for Ray's next start, those of earlier reloads included.
	Pending []string `json:"pending"`
	// Restarting are the keys for which Ray is being stopped and started again.
	Restarting []string `json:"restarting"`
	// Errors are what is wrong with the files. If there are any, nothing has changed.
	Errors role.Problems `json:"errors"`
}

// String has one line for each list that is not empty.
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

// ErrNotRunning says that no daemon listens on a socket.
var ErrNotRunning = errors.New("no raynoded runs there")

// Reload asks the daemon at a socket to read its files now, and returns once that is done.
// Problems in the files are part of the result and not an error.
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
		return Reloaded{}, fmt.Errorf("%w: %s", ErrNotRunning, socket)
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

// Handlers are the functions by which a daemon answers requests.
type Handlers struct {
	// Reload reads the files now and returns the result, or the reason why it could not.
	Reload func(ctx context.Context) (Reloaded, error)
}

// connTimeout is how long a client may take to send its request, and how long a daemon that ends
// waits for an answer to be sent.
const connTimeout = 5 * time.Second

// Listen makes the socket. Only root and the user that this process runs as may use it. A socket
// that is there already belongs to a dead daemon: the caller has made sure that no other daemon
// runs.
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

// Serve answers requests until its context ends, and then removes the socket.
func Serve(ctx context.Context, l net.Listener, h Handlers) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+reloadPath, func(w http.ResponseWriter, req *http.Request) {
		r, err := h.Reload(req.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r) // a client that has hung up needs no answer
	})
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: connTimeout,
		IdleTimeout:       connTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), connTimeout)
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
