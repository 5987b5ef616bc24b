package serve

import (
	"os"

	"github.com/countersign-dev/countersign/cmd/countersign/audit"
	"github.com/countersign-dev/countersign/cognito"
)

// trail opens the audit trail; without one it returns nil. It closes after the service has made its last change.
func (s *Server) trail() (func(cognito.Event), error) {
	path := s.config.Audit.File
	if path == "" {
		return nil, nil
	}
	file := os.Stdout
	if path != "-" {
		var err error
		// Appended to: whoever rotates the file moves it away and starts the issuer anew, or copies and truncates it.
		if file, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return nil, s.config.errorAt("audit.file", err)
		}
		s.onClose(file.Close)
	}
	w, err := audit.New(audit.Config{W: file, Failed: func(err error) {
		s.logger.Error("the audit trail cannot be written", "cause", err.Error())
	}})
	if err != nil {
		return nil, err
	}
	s.onClose(w.Close)
	s.audit = w
	return w.Record, nil
}
