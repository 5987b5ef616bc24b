package child

import "github.com/fsnotify/fsnotify"

// Overflow tells the watcher that the system has lost events.
func (w *Watcher) Overflow() { w.events.Errors <- fsnotify.ErrEventOverflow }

// SetLimit sets how many directories are watched at most.
func (w *Watcher) SetLimit(n int) { w.limit = n }
