// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"net"
	"sync"
	"sync/atomic"
)

// limited is a listener with so many connections at once; more wait in the system's queue.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func limit(l net.Listener, most int) *limited {
	return &limited{Listener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slot{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// slot is a connection that counts.
type slot struct {
	net.Conn
	free func()
}

func (s *slot) Close() error {
	defer s.free()
	return s.Conn.Close()
}

// room is the memory that requests share.
type room struct {
	most int64
	used atomic.Int64
}

// take takes n bytes if there are.
func (m *room) take(n int) bool {
	if m.used.Add(int64(n)) > m.most {
		m.used.Add(int64(-n))
		return false
	}
	return true
}

func (m *room) give(n int) { m.used.Add(int64(-n)) }
