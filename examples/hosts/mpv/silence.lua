--- Writes silence to try a player with: lua5.2 silence.lua FILE.wav SECONDS
-- One channel of 8 bits, 8,000 samples a second.
local RATE = 8000

local function bytes(n, count) -- the lowest first
  local text = {}
  for i = 1, count do
    text[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(text)
end

local samples = ("\128"):rep(RATE * tonumber(arg[2]))
local format = bytes(1, 2) .. bytes(1, 2) .. bytes(RATE, 4) .. bytes(RATE, 4) .. bytes(1, 2) .. bytes(8, 2)
local chunks = "WAVEfmt " .. bytes(#format, 4) .. format .. "data" .. bytes(#samples, 4) .. samples

local file = assert(io.open(arg[1], "wb"))
file:write("RIFF", bytes(#chunks, 4), chunks)
file:close()
