"""Writes core/crc32c_table.h: python3 tests/make_crc32c_table.py > core/crc32c_table.h"""

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reflected


def main():
    print("/* Made by tests/make_crc32c_table.py. [b][k]: the CRC-32C register after byte b and k zero bytes. */")
    print("#ifndef SL_CORE_CRC32C_TABLE_H")
    print("#define SL_CORE_CRC32C_TABLE_H\n")
    print("#include <stdint.h>\n")
    print("/* clang-format off */")
    print("static const uint32_t sl_crc32c_table[256][8] = {")
    for byte in range(256):
        print("    {" + ", ".join(f"0x{register:08x}" for register in registers(byte)) + "},")
    print("};")
    print("/* clang-format on */\n")
    print("#endif")


def registers(byte):
    register = byte
    for _ in range(8):
        register = after_zero_byte(register)
        yield register


def after_zero_byte(register):
    for _ in range(8):
        register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register


main()
