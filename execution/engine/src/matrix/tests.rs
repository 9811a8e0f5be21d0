use super::*;
use crate::math::half_to_f32;

/// The file's definition of each type, read naively.
fn plain(tensor: &Tensor<'_>) -> Vec<f32> {
    let half = |bytes: &[u8]| half_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]));
    match tensor.encoding {
        Encoding::F32 => tensor
            .bytes
            .chunks(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect(),
        Encoding::Q8_0 => tensor
            .bytes
            .chunks(34)
            .flat_map(|block| {
                block[2..]
                    .iter()
                    .map(|byte| f32::from(byte.cast_signed()) * half(block))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Encoding::Q4_1 => tensor
            .bytes
            .chunks(20)
            .flat_map(|block| {
                let weight = |column: usize| {
                    if column < 16 { block[4 + column] & 15 } else { block[column - 12] >> 4 }
                };
                (0..32)
                    .map(|column| f32::from(weight(column)) * half(block) + half(&block[2..]))
                    .collect::<Vec<_>>()
            })
            .collect(),
    }
}

#[test]
fn packed_rows_are_the_files_rows() {
    // eleven rows: the last group is not full
    let bytes: Vec<u8> = (0..11 * 3 * 34u32).map(|index| (index * 37 % 251) as u8 & 0x7b).collect();
    for (encoding, size) in [(Encoding::Q4_1, 20), (Encoding::Q8_0, 34)] {
        let tensor = Tensor { rows: 11, columns: 96, encoding, bytes: &bytes[..11 * 3 * size] };
        let matrix = Matrix::pack(&tensor).unwrap();
        for (row, expected) in plain(&tensor).chunks(96).enumerate() {
            let mut found = Vec::new();
            matrix.append_row(row, &mut found);
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn floats_become_the_nearest_of_127_steps() {
    let values: Vec<f32> =
        (0..5 * 64).map(|index| ((index * 7919 % 1000) as f32 - 500.0) / 321.0).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = Tensor { rows: 5, columns: 64, encoding: Encoding::F32, bytes: &bytes };
    let matrix = Matrix::pack(&tensor).unwrap();
    for (row, expected) in values.chunks(64).enumerate() {
        let mut found = Vec::new();
        matrix.append_row(row, &mut found);
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1.56 / 127.0 / 2.0 * 1.01,
                "{found} for {expected}"
            );
        }
    }
    let odd = Tensor { rows: 8, columns: 40, encoding: Encoding::F32, bytes: &bytes };
    assert_eq!(Matrix::pack(&odd).unwrap_err(), MatrixFault::Columns);
}
