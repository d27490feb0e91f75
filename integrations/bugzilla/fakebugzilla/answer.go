package fakebugzilla

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func (c *call) ok(status int, v any) { write(c.w, status, v) }

// refuse answers in the shape of Bugzilla's errors
// (Bugzilla/WebService/Server/REST.pm).
func (c *call) refuse(status, code int, message string) { fault(c.w, status, code, message) }

func fault(w http.ResponseWriter, status, code int, message string) {
	write(w, status, map[string]any{
		"error": true, "code": code, "message": message,
		"documentation": "https://bmo.readthedocs.io/en/latest/api/",
	})
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fakebugzilla: %v", err)) // unreachable: maps, strings and numbers
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
