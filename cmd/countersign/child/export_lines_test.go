package child

import "io"

// Hold writes lines as a service does while they are held back, and lets them go.
func Hold(to io.Writer, show bool, text ...string) {
	l := newLines(to, "shop")
	release := l.hold()
	for _, line := range text {
		l.write([]byte(line + "\n"))
	}
	release(show)
}
