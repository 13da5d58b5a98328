-- Reads a request's body with a deadline that received bytes extend. So a client that sends a byte now and then is cut
-- off, and a large upload of a fast client is not. nginx's own client_body_timeout only limits the time between two reads.
-- https://github.com/openresty/lua-nginx-module: ngx.req.socket, ngx.req.init_body
local M = {}

-- Seconds between two reads; seconds for the whole body; bytes that extend the latter by one second.
local IDLE, FIRST, LEAST_BYTES_A_SECOND = 15, 30, 8 * 1024
local MEMORY, PIECE = 16 * 1024, 16 * 1024
-- Seconds for a body of unknown length at any rate: chunk headers count as bytes, and may be endless.
local LONGEST = 3600

-- ngx.req.socket cannot read a body of unknown length, so nginx reads it, and a second thread ends slow requests.
local function read_chunked()
    local before = tonumber(ngx.var.request_length)
    ngx.update_time()
    local began = ngx.now()
    local reader = ngx.thread.spawn(function()
        ngx.req.read_body()
    end)
    local watch = ngx.thread.spawn(function()
        while true do
            ngx.sleep(1)
            local received = tonumber(ngx.var.request_length) - before
            local late = ngx.now() - began > math.min(LONGEST, FIRST + received / LEAST_BYTES_A_SECOND)
            -- nginx may have answered already (413), and then ends the request itself.
            if late and not ngx.headers_sent then
                ngx.exit(ngx.HTTP_REQUEST_TIMEOUT)
            end
        end
    end)
    ngx.thread.wait(reader)
    ngx.thread.kill(watch)
end

function M.read()
    if ngx.var.http_transfer_encoding then
        return read_chunked()
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
    local received = 0
    ngx.update_time()
    local began = ngx.now()
    while received < length do
        ngx.update_time()
        local left = began + FIRST + received / LEAST_BYTES_A_SECOND - ngx.now()
        if left <= 0 then
            return ngx.exit(ngx.HTTP_REQUEST_TIMEOUT)
        end
        client:settimeout(math.max(1, math.min(IDLE, left) * 1000))
        local piece, problem = client:receiveany(math.min(PIECE, length - received))
        if not piece then
            return ngx.exit(problem == "timeout" and ngx.HTTP_REQUEST_TIMEOUT or 499)
        end
        received = received + #piece
        ngx.req.append_body(piece)
    end
    ngx.req.finish_body()
end

return M
