# Writes OUTPUT, a C file that holds the Lua files named in LIST (one a line,
# relative to ROOT) as byte arrays:
#   cmake -DROOT=lua -DLIST=lua_sources.txt -DOUTPUT=lua_sources.c -P embed.cmake

cmake_minimum_required(VERSION 3.25)

# tombstone/init.lua -> tombstone, tombstone/cli/init.lua -> tombstone.cli
function(module_name out file)
  string(REGEX REPLACE "(/init)?[.]lua$" "" name ${file})
  string(REPLACE "/" "." name ${name})
  set(${out} ${name} PARENT_SCOPE)
endfunction()

# 6c6f63 -> 0x6c,0x6f,0x63, in lines of 12 bytes
function(c_bytes out hex)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REPEAT "....." 12 line)
  string(REGEX REPLACE "(${line})" "\\1\n  " bytes "${bytes}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

file(STRINGS ${LIST} files)
set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS files)
  module_name(name ${file})
  file(READ ${ROOT}/${file} hex HEX)
  c_bytes(bytes "${hex}")
  string(APPEND arrays "/* ${file} */\n"
    "static const unsigned char source_${n}[] = {\n  ${bytes}0x00};\n\n")
  string(APPEND rows "  {\"${name}\", (const char *)source_${n},\n"
    "   sizeof(source_${n}) - 1},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE ${OUTPUT} "/* Generated; do not edit. */\n"
  "#include \"lua_sources.h\"\n\n${arrays}"
  "const tomb_lua_source tomb_lua_sources[] = {\n${rows}  {NULL, NULL, 0}};\n")
