package seen

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
)

// maxLine bounds a line, in bytes. A longer one is cut, and what is behind is not needed.
const maxLine = 64 << 10

// readLines reads an access log in Apache's common format, or the combined one, which has two fields more:
//
//	192.0.2.1 - - [10/Oct/2025:13:55:36 +0000] "GET /orders/7 HTTP/1.1" 200 2326 "-" "curl/8.5.0"
func (l *Log) readLines(in *bufio.Reader) error {
	for number := 1; ; number++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if method, target, status, ok := parseLine(line); !ok || !l.add(method, target, status) {
			if l.Unreadable++; l.First == 0 {
				l.First = number
			}
		}
	}
}

// readLine returns a line without the part of it that is too long.
func readLine(in *bufio.Reader) (string, error) {
	part, err := in.ReadSlice('\n')
	line := string(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return line, err
}

// parseLine finds the request and the status behind it. What stands in front differs: some logs have the virtual host there.
func parseLine(line string) (method, target string, status int, ok bool) {
	_, rest, found := strings.Cut(line, `"`)
	if !found {
		return "", "", 0, false
	}
	end := 0
	for end < len(rest) && rest[end] != '"' {
		if rest[end] == '\\' {
			end++ // Apache and nginx write a quote of the request as \" and \x22
		}
		end++
	}
	if end >= len(rest) {
		return "", "", 0, false
	}
	request, after := strings.Fields(rest[:end]), strings.Fields(rest[end+1:])
	if len(request) < 2 || len(request) > 3 || len(after) == 0 {
		return "", "", 0, false
	}
	status, err := strconv.Atoi(after[0])
	return request[0], request[1], status, err == nil
}
