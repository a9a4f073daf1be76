// SPDX-License-Identifier: MIT

// Moves a file to a socket or file: `move loop SOURCE SINK BUFFER` by Read and Write, `move copy
// SOURCE SINK` by io.Copy, which chooses a system call itself.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A path of a socket or file, or HOST:PORT.
func openSink(text string) (io.WriteCloser, error) {
	status, err := os.Stat(text)
	if err != nil {
		return net.Dial("tcp", text)
	}
	if status.Mode()&os.ModeSocket != 0 {
		return net.Dial("unix", text)
	}
	return os.OpenFile(text, os.O_WRONLY, 0)
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: move loop|copy SOURCE SINK [BUFFER]")
		os.Exit(2)
	}
	source, err := os.Open(os.Args[2])
	fail(err)
	sink, err := openSink(os.Args[3])
	fail(err)
	if os.Args[1] == "copy" {
		_, err = io.Copy(sink, source)
		fail(err)
	} else {
		size := 4096
		if len(os.Args) > 4 {
			size, err = strconv.Atoi(os.Args[4])
			fail(err)
		}
		buffer := make([]byte, size)
		for {
			n, err := source.Read(buffer)
			if err == io.EOF {
				break
			}
			fail(err)
			_, err = sink.Write(buffer[:n])
			fail(err)
		}
	}
	fail(sink.Close())
}
