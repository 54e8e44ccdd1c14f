package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// ask makes one call and checks both of its statuses, that of gRPC and that of the GCS.
func ask[Q any, A interface{ GetStatus() *gcspb.GcsStatus }](
	ctx context.Context, c *Conn, what string,
	call func(context.Context, *Q, ...grpc.CallOption) (A, error), question *Q,
) (A, error) {
	doing := c.asking(what)
	if c.wire.end() != nil {
		var none A
		return none, c.readError(ctx, doing, nil)
	}
	answer, err := call(ctx, question)
	if err != nil {
		return answer, c.readError(ctx, doing, err)
	}
	if s := answer.GetStatus(); s.GetCode() != 0 {
		err := &statusError{code: s.GetCode()}
		why := c.head.Token.redact(fmt.Sprintf("%v: %s", err, shorten(s.GetMessage())))
		return answer, &failure{doing, why, Rejected, err}
	}
	return answer, nil
}

func (c *Conn) asking(what string) string {
	return fmt.Sprintf("cannot ask head %s %s", printable([]byte(c.head.Address)), what)
}

// statusError is a status other than OK that the GCS puts into an answer. gRPC's own status is OK
// then.
type statusError struct{ code int32 }

func (r *statusError) Error() string { return fmt.Sprintf("the GCS answered with status %d", r.code) }

// readError turns what gRPC returned into an error of this package. What the caller did counts
// first, then what the connection knows, and the words of gRPC last.
func (c *Conn) readError(ctx context.Context, doing string, err error) error {
	end := c.wire.end()
	foreign := c.wire.notHTTP2()
	switch {
	case c.closed.Load():
		return &failure{doing, "connection closed by this side", Unknown, net.ErrClosed}
	case errors.Is(ctx.Err(), context.Canceled):
		return cancelled(ctx, doing)
	case end != nil && isSilence(end):
		return &failure{doing, cause(end), Silent, end}
	case foreign != "":
		return notRay(doing, "it "+foreign)
	case errors.Is(end, io.EOF):
		return &failure{doing, errClosed.Error(), Broken, end}
	case end != nil:
		return &failure{doing, cause(end), Broken, end}
	case ctx.Err() != nil && c.wire.unconfirmed():
		return &failure{doing, Silent.String(), Silent, context.DeadlineExceeded}
	case ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded:
		return &failure{doing, Stuck.String(), Stuck, context.DeadlineExceeded}
	}
	return c.readStatus(doing, status.Convert(err))
}

// readStatus reads the status of a call whose connection still stands.
func (c *Conn) readStatus(doing string, s *status.Status) error {
	said := c.head.Token.redact(shorten([]byte(s.Message())))
	switch s.Code() {
	case codes.Unauthenticated:
		return &failure{doing, fmt.Sprintf("%s (%s)", Unauthorized, said), Unauthorized, nil}
	case codes.Unavailable:
		return &failure{doing, said, Broken, nil}
	case codes.Unimplemented, codes.Unknown, codes.Internal, codes.PermissionDenied:
		return notRay(doing, said)
	default:
		return &failure{doing, fmt.Sprintf("%s: %s", s.Code(), said), Rejected, nil}
	}
}

// notRay is the error for an answer that no GCS gives.
func notRay(doing, why string) error {
	return &failure{doing, "not a Ray head: " + why, NotRay, nil}
}

// cancelled is the error of a call that the caller cancelled.
func cancelled(ctx context.Context, doing string) error {
	why := context.Cause(ctx)
	return &failure{doing, why.Error(), Unknown, why}
}
