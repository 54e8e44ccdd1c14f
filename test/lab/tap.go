package lab

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// tap makes a network interface in a namespace whose cable is the file: what
// is sent there is read, what is written arrives there. It goes with the file.
func tap(namespace, name string) (f *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread, which is elsewhere now, ends with this goroutine
		f, err = tapHere(namespace, name)
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("cannot make the tap %s in %s: %w", name, namespace, err)
	}
	return f, nil
}

// tapHere takes the thread into the namespace, by which the kernel knows where
// a tap belongs.
func tapHere(namespace, name string) (*os.File, error) {
	at, err := os.Open(namespacePath(namespace))
	if err != nil {
		return nil, err
	}
	defer at.Close()
	if err := unix.Setns(int(at.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_TUN_EXCL)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
