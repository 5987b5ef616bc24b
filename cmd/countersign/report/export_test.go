package report

import "reflect"

// DocumentType is the type of the JSON, for the test that holds it and its schema together.
var DocumentType = reflect.TypeFor[document]()
