-- Reads a request's body with a deadline that what comes in puts off: a byte now and then is not enough, and what is
-- large and honest may take its time. nginx's own client_body_timeout is between two reads alone.
-- https://github.com/openresty/lua-nginx-module: ngx.req.socket, ngx.req.init_body
local M = {}

-- Seconds between two reads; seconds for a body in all, to which every so many bytes add one.
local IDLE, FIRST, LEAST_BYTES_A_SECOND = 15, 30, 8 * 1024
local MEMORY, PIECE = 16 * 1024, 16 * 1024
-- Seconds for a body of unknown length, however fast: what comes may be the chunks' own words, of which there is no end.
local LONGEST = 3600

-- nginx reads a body of unknown length itself (ngx.req.socket does not), and a second thread ends what comes slowly.
local function take_chunked()
    local before = tonumber(ngx.var.request_length)
    ngx.update_time()
    local began = ngx.now()
    local reader = ngx.thread.spawn(function()
        ngx.req.read_body()
    end)
    local watch = ngx.thread.spawn(function()
        while true do
            ngx.sleep(1)
            local come = tonumber(ngx.var.request_length) - before
            local late = ngx.now() - began > math.min(LONGEST, FIRST + come / LEAST_BYTES_A_SECOND)
            -- nginx may have answered already (413): then it ends the request by itself.
            if late and not ngx.headers_sent then
                ngx.exit(ngx.HTTP_REQUEST_TIMEOUT)
            end
        end
    end)
    ngx.thread.wait(reader)
    ngx.thread.kill(watch)
end

function M.take()
    if ngx.var.http_transfer_encoding then
        return take_chunked()
    end
    local length = tonumber(ngx.var.http_content_length or "")
    if not length or length == 0 then
        return
    end
    local client, why = ngx.req.socket()
    if not client then
        ngx.log(ngx.INFO, "no body to read: ", why)
        return ngx.exit(ngx.HTTP_BAD_REQUEST)
    end
    ngx.req.init_body(MEMORY)
    local taken = 0
    ngx.update_time()
    local began = ngx.now()
    while taken < length do
        ngx.update_time()
        local left = began + FIRST + taken / LEAST_BYTES_A_SECOND - ngx.now()
        if left <= 0 then
            return ngx.exit(ngx.HTTP_REQUEST_TIMEOUT)
        end
        client:settimeout(math.max(1, math.min(IDLE, left) * 1000))
        local piece, problem = client:receiveany(math.min(PIECE, length - taken))
        if not piece then
            return ngx.exit(problem == "timeout" and ngx.HTTP_REQUEST_TIMEOUT or 499)
        end
        taken = taken + #piece
        ngx.req.append_body(piece)
    end
    ngx.req.finish_body()
end

return M
