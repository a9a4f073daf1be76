// SPDX-License-Identifier: MIT

// The file server of net/http: `http_file_server SOURCE HOST:PORT`. It is net/http's own code from
// the request to the last byte, but it connects instead of listening, because the reader of a
// comparison waits for a connection and for the bytes of the file alone: the connection begins with a
// request of its own, and keeps the response's header back.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A file system of one file, whatever its name.
type oneFile string

func (file oneFile) Open(string) (http.File, error) { return os.Open(string(file)) }

// The methods that are not written out, ReadFrom above all, are those of the TCP connection.
type requested struct {
	*net.TCPConn
	request io.Reader
	header  []byte
	inBody  bool
}

func (conn *requested) Read(buffer []byte) (int, error) {
	if n, err := conn.request.Read(buffer); err == nil {
		return n, nil
	}
	return conn.TCPConn.Read(buffer)
}

func (conn *requested) Write(buffer []byte) (int, error) {
	if conn.inBody {
		return conn.TCPConn.Write(buffer)
	}
	conn.header = append(conn.header, buffer...)
	end := bytes.Index(conn.header, []byte("\r\n\r\n"))
	if end < 0 {
		return len(buffer), nil
	}
	conn.inBody = true
	if status := strings.SplitN(string(conn.header), "\r\n", 2)[0]; !strings.HasSuffix(status, "200 OK") {
		fail(fmt.Errorf("the file server answered %q", status))
	}
	if body := conn.header[end+4:]; len(body) > 0 {
		if _, err := conn.TCPConn.Write(body); err != nil {
			return 0, err
		}
	}
	return len(buffer), nil
}

// A listener that has accepted one connection and waits for no other.
type connected struct {
	net.Listener
	first chan net.Conn
}

func (listener connected) Accept() (net.Conn, error) { return <-listener.first, nil }
func (listener connected) Close() error              { return nil }

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: http_file_server SOURCE HOST:PORT")
		os.Exit(2)
	}
	conn, err := net.Dial("tcp", os.Args[2])
	fail(err)
	listener := connected{first: make(chan net.Conn, 1)}
	listener.first <- &requested{
		TCPConn: conn.(*net.TCPConn),
		request: strings.NewReader("GET /file HTTP/1.1\r\nHost: sink\r\n\r\n"),
	}
	ended := make(chan http.ConnState)
	server := http.Server{
		Handler: http.FileServer(oneFile(os.Args[1])),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateIdle || state == http.StateClosed {
				ended <- state
			}
		},
	}
	go server.Serve(listener)
	// Idle: the response is complete, and the server waits for another request.
	if <-ended != http.StateIdle {
		fail(fmt.Errorf("the connection ended before the response did"))
	}
	fail(conn.Close())
}
