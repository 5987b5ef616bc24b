package main

import (
	"net/http"

	"github.com/countersign-dev/countersign"
	"github.com/labstack/echo/v5"
)

// newEcho is the API with echo, which turns net/http's middleware into its own.
func newEcho(guard *countersign.Guard) *echo.Echo {
	e := echo.New()
	require := func(rule countersign.Rule) echo.MiddlewareFunc { return echo.WrapMiddleware(guard.Require(rule)) }
	e.GET("/orders/:id", func(c *echo.Context) error {
		return c.String(http.StatusOK, hello(countersign.CallerFrom(c.Request().Context()), c.Param("id")))
	}, require(readOrders))
	e.POST("/orders", func(c *echo.Context) error {
		return c.String(http.StatusCreated, hello(countersign.CallerFrom(c.Request().Context()), "new"))
	}, require(writeOrders))
	e.GET("/healthz", func(c *echo.Context) error { return c.String(http.StatusOK, "ok\n") }, require(probe))
	return e
}
