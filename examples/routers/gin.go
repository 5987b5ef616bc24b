package main

import (
	"net/http"

	"github.com/countersign-dev/countersign"
	"github.com/gin-gonic/gin"
)

// newGin is the API with gin.
func newGin(guard *countersign.Guard) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/orders/:id", requireGin(guard, readOrders), func(c *gin.Context) {
		c.String(http.StatusOK, "%s", hello(countersign.CallerFrom(c.Request.Context()), c.Param("id")))
	})
	r.POST("/orders", requireGin(guard, writeOrders), func(c *gin.Context) {
		c.String(http.StatusCreated, "%s", hello(countersign.CallerFrom(c.Request.Context()), "new"))
	})
	r.GET("/healthz", requireGin(guard, probe), func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	return r
}

// requireGin is [countersign.Guard.Require] in gin's form of middleware. The rest of the chain runs inside the guard, so that the caller is in its
// context and UntilExpiry ends it; a request that the guard has answered goes no further.
func requireGin(guard *countersign.Guard, rule countersign.Rule) gin.HandlerFunc {
	require := guard.Require(rule)
	return func(c *gin.Context) {
		admitted := false
		c.Request.Pattern = c.FullPath() // the name of the route in the log
		require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !admitted {
			c.Abort()
		}
	}
}
