--- Writes a capture of DNS queries, a second apart:
--     lua5.2 capture.lua FILE NAME...
-- The format is in https://www.tcpdump.org/manpages/pcap-savefile.5.txt and RFC 1035.

local function u16(n) -- as on the network
  return string.char(math.floor(n / 256), n % 256)
end

local function u32_here(n) -- the file has its lowest byte first
  local bytes = {}
  for i = 1, 4 do
    bytes[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(bytes)
end

local function dns(id, name)
  local labels = {}
  for label in name:gmatch "[^.]+" do
    labels[#labels + 1] = string.char(#label) .. label
  end
  local header = u16(id) .. u16(0x0100) .. u16(1) .. u16(0) .. u16(0) .. u16(0) -- one question
  return header .. table.concat(labels) .. "\0" .. u16(1) .. u16(1) -- A, Internet
end

local function udp(payload)
  return u16(40000) .. u16(53) .. u16(8 + #payload) .. u16(0) .. payload -- no checksum
end

local function ipv4(payload)
  local from, to = string.char(192, 0, 2, 1), string.char(192, 0, 2, 53)
  return "\69\0" .. u16(20 + #payload) .. u16(0) .. u16(0) .. "\64\17" .. u16(0) .. from .. to .. payload
end

local function ethernet(payload)
  return ("\2\0\0\0\0\1"):rep(2) .. u16(0x0800) .. payload
end

local START = 1763880000

local function record(i, packet)
  return u32_here(START + i) .. u32_here(0) .. u32_here(#packet) .. u32_here(#packet) .. packet
end

local file = assert(io.open(arg[1], "wb"))
file:write(u32_here(0xa1b2c3d4), "\2\0\4\0", u32_here(0), u32_here(0), u32_here(65535), u32_here(1))
for i = 2, #arg do
  file:write(record(i, ethernet(ipv4(udp(dns(i, arg[i]))))))
end
file:close()
