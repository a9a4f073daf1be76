// SPDX-License-Identifier: MIT
// relay [-count] LISTEN ORIGIN: passes one connection on to ORIGIN, as docs/cases.md shows it. With
// -count the reader is wrapped, as by anything that counts, limits or logs what it reads.
package main

import (
	"io"
	"net"
	"os"
)

type counter struct {
	reader io.Reader
	bytes  int64
}

func (c *counter) Read(buffer []byte) (int, error) {
	n, err := c.reader.Read(buffer)
	c.bytes += int64(n)
	return n, err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	words := os.Args[1:]
	count := words[0] == "-count"
	if count {
		words = words[1:]
	}
	listener, err := net.Listen("tcp", words[0])
	must(err)
	client, err := listener.Accept()
	must(err)
	origin, err := net.Dial("tcp", words[1])
	must(err)
	go io.Copy(origin, client)
	if count {
		_, err = io.Copy(client, &counter{reader: origin})
	} else {
		_, err = io.Copy(client, origin)
	}
	must(err)
}
