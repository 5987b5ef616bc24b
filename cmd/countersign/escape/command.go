package escape

import (
	"strconv"
	"strings"
)

// Command is a workflow command of GitHub Actions, which the runner shows at a line of the pull request.
type Command struct {
	Name  string // error, warning or notice
	File  string // relative to the repository; empty is no place
	Line  int
	Title string
	Text  string // may have more than one line
}

// GitHub's runner undoes these escapes, and takes a line that begins with :: for a command: what is not escaped could begin another one.
var (
	commandText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// String is the command, as one line without its end.
func (c Command) String() string {
	place := ""
	if c.File != "" {
		place = "file=" + commandProperty.Replace(Visible(c.File)) + ",line=" + strconv.Itoa(c.Line) + ","
	}
	lines := strings.Split(c.Text, "\n")
	for i, line := range lines {
		lines[i] = Visible(line)
	}
	return "::" + c.Name + " " + place + "title=" + commandProperty.Replace(Visible(c.Title)) + "::" +
		commandText.Replace(strings.Join(lines, "\n"))
}
